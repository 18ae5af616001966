"""The kernel as an installed app: it owns the beats and the system checks."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """The kernel."""

    name = "agentconsole"
    verbose_name = "Console"

    def ready(self) -> None:
        """Register the system checks."""
        from agentconsole import checks  # noqa: F401
