"""Runs, the agents that work on them, and their log."""

from django.apps import AppConfig


class RunsConfig(AppConfig):
    """Environments, agents and runs."""

    name = "runs"
