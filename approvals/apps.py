"""The decision queue."""

from typing import Any

from django.apps import AppConfig


class ApprovalsConfig(AppConfig):
    """Side-effecting actions and the people who decide on them."""

    name = "approvals"

    def ready(self) -> None:
        """Hear of runs that arrive after their questions, and offer the queue's live topics."""
        from approvals import live_topics
        from runs.signals import runs_appeared

        live_topics.register()
        runs_appeared.connect(_link, dispatch_uid="approvals.link_runs")


def _link(run_ids: Any, **kwargs: Any) -> None:
    from approvals.services.linking import link_runs

    link_runs(run_ids)
