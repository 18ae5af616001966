"""Reading across runs."""

from django.apps import AppConfig


class TracesConfig(AppConfig):
    """What happened, across runs."""

    name = "traces"
