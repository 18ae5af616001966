"""The kernel as an installed app: it owns the beats and the system checks."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """The kernel."""

    name = "agentconsole"
    verbose_name = "Console"

    def ready(self) -> None:
        """Register the system checks, and make the console's Celery application the one that tasks belong to."""
        from agentconsole import celery, checks  # noqa: F401
