"""The decision queue."""

from typing import Any

from django.apps import AppConfig


class ApprovalsConfig(AppConfig):
    """Side-effecting actions and the people who decide on them."""

    name = "approvals"

    def ready(self) -> None:
        """Hear of runs that arrive after their questions and of steps to be audited, and offer the queue's live topics."""
        from approvals import live_topics
        from runs.signals import runs_appeared, step_taken

        live_topics.register()
        runs_appeared.connect(_link, dispatch_uid="approvals.link_runs")
        step_taken.connect(_audit, dispatch_uid="approvals.audit")


def _link(run_ids: Any, **kwargs: Any) -> None:
    from approvals.services.linking import link_runs

    link_runs(run_ids)


def _audit(token: str, actor: str, object_id: str, data: Any, **kwargs: Any) -> None:
    from approvals.services import audit

    audit.append(token, actor=actor, object_id=object_id, data=data)
