"""The decision queue."""

from django.apps import AppConfig


class ApprovalsConfig(AppConfig):
    """Side-effecting actions and the people who decide on them."""

    name = "approvals"
