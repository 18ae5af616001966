"""The site under /people/: open to whom the console calls an admin, not to whom Django calls staff."""

from django.contrib.admin import AdminSite
from django.http import HttpRequest

from runs.access import Role, role_of


class PeopleSite(AdminSite):
    """People, their groups, and environments."""

    site_header = site_title = "Agent Console: people and environments"
    index_title = "Manage"
    site_url = "/settings/"

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the person is an admin by `runs.access`."""
        return role_of(request.user) >= Role.ADMIN
