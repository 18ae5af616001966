"""What admins manage under /people/: people, their groups, and environments."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import ManyToManyField
from django.forms import CheckboxSelectMultiple
from django.http import HttpRequest

from runs.access import Role, role_of
from runs.models import Environment

if TYPE_CHECKING:
    _UserAdmin = UserAdmin[User]
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _UserAdmin, _ModelAdmin = UserAdmin, admin.ModelAdmin


class ByRole:
    """Admins by `runs.access` may do everything here; Django's own permissions are not used."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether its models are listed."""
        return role_of(request.user) >= Role.ADMIN

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether they may be looked at."""
        return role_of(request.user) >= Role.ADMIN

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether there may be more of them."""
        return role_of(request.user) >= Role.ADMIN

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether they may be changed."""
        return role_of(request.user) >= Role.ADMIN

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether they may be deleted."""
        return role_of(request.user) >= Role.ADMIN


class PersonAdmin(ByRole, _UserAdmin):
    """Accounts. The groups say what a person may do; Django's staff flag and permissions mean nothing in the console."""

    list_display = ("username", "email", "role", "is_active", "last_login")
    list_filter = ("groups", "is_active")
    filter_horizontal = ()
    formfield_overrides = {ManyToManyField: {"widget": CheckboxSelectMultiple}}
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Role", {"fields": ("is_active", "groups", "is_superuser")}),
    )

    @admin.display(description="role")
    def role(self, person: User) -> str:
        """What the person may do."""
        return role_of(person).name.lower()


class EnvironmentAdmin(ByRole, _ModelAdmin):
    """Environments: their name is their key, so it is given once. One with agents can't be deleted."""

    list_display = ("name", "is_restricted", "retention_days", "created_at")
    formfield_overrides = {ManyToManyField: {"widget": CheckboxSelectMultiple}}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A new name would be a new environment."""
        return ("name",) if obj else ()


admin.site.unregister([User, Group])
admin.site.register(User, PersonAdmin)
admin.site.register(Environment, EnvironmentAdmin)
