"""Secrets as agents let them slip."""

from typing import Any

from tests.cast import AgentCaller
from tests.ingest.items import ended, new_run, span
from traces.models import LeakIncident

TOKEN = "ghp_" + "Zq4v8Lw2Xn6Rt0Bm3Hy7Kd5Pf1Gs9Ja4Ce8T"
BEARER = {"headers": {"Authorization": f"Bearer {TOKEN}"}}


def leak(agent: AgentCaller, **fields: Any) -> str:
    """A tool call with a secret in what it was given or gave. The run's id."""
    run = new_run()
    answer = agent.send(ended(span(run), **fields))
    assert answer.status_code == 200, answer.content
    return run


def incidents() -> list[LeakIncident]:
    """All of them, oldest first."""
    return list(LeakIncident.objects.order_by("first_seen_at", "id"))
