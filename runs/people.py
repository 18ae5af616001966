"""Django's admin, with the console's own site. Apart from the site: this is read before there are models."""

from django.contrib.admin.apps import AdminConfig


class PeopleConfig(AdminConfig):
    """Named in INSTALLED_APPS instead of `django.contrib.admin`."""

    default_site = "runs.admin_site.PeopleSite"
