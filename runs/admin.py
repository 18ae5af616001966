"""What admins manage under /people/: environments beside Django's own users and groups."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from runs.models import Environment

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Environment]
else:
    _ModelAdmin = admin.ModelAdmin


@admin.register(Environment)
class EnvironmentAdmin(_ModelAdmin):
    """Environments: their name is their key, so it is given once. One with runs can't be deleted."""

    list_display = ("name", "is_restricted", "retention_days", "created_at")
    filter_horizontal = ("members",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A new name would be a new environment."""
        return ("name",) if obj else ()
