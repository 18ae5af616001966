"""Runs, the agents that work on them, and their log."""

from django.apps import AppConfig


class RunsConfig(AppConfig):
    """Environments, agents and runs."""

    name = "runs"

    def ready(self) -> None:
        """Offer the live topics."""
        from runs import live_topics

        live_topics.register()
