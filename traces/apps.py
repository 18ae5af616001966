"""Reading across runs."""

from typing import Any

from django.apps import AppConfig


class TracesConfig(AppConfig):
    """What happened, across runs."""

    name = "traces"

    def ready(self) -> None:
        """Hear of secrets that were taken out of what agents sent."""
        from runs.signals import secrets_found

        secrets_found.connect(_record_findings, dispatch_uid="traces.leaks")


def _record_findings(findings: Any, door: str, instance: Any, **kwargs: Any) -> None:
    from traces.services.leaks import record_findings

    record_findings(findings, door=door, instance=instance)
