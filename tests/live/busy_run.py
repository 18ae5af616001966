"""A run that is busy in every way, and what a page shows of it."""

import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from agentconsole.protocol.ids import new_request_id, new_span_id, uuid7
from runs.ingest import ingest_batch
from runs.ingest.body import Batch
from runs.queries.log import run_log
from tests.cast import AgentCaller

Item = dict[str, Any]
START = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


def ingest(agent: AgentCaller, items: list[Item]) -> None:
    """Store items as the native door does."""
    answer = ingest_batch(Batch(items), instance=agent.instance)
    assert not answer["rejected"], answer


def started(run_id: uuid.UUID) -> Item:
    return {
        "type": "run.started", "id": str(run_id), "at": START.isoformat(), "request_id": new_request_id(),
        "transport": "web", "query": "why is checkout slow?",
    }  # fmt: skip


def finished(run_id: uuid.UUID) -> Item:
    return {"type": "run.finished", "id": str(run_id), "at": _at(3600), "status": "succeeded", "summary": "It was DNS."}


def tick(run_id: uuid.UUID, phase: str = "gather") -> Item:
    return {"type": "tick", "id": str(uuid7()), "run": str(run_id), "at": _at(1), "phase": phase, "state": "alive"}


def busy_run(run_id: uuid.UUID, dice: random.Random, batches: int = 40) -> list[list[Item]]:
    """Batches of a run: ticks, events, spans that start and later end or change again, its start late, its end last."""
    open_spans: list[Item] = []
    made: list[list[Item]] = []
    for second in range(batches):
        batch: list[Item] = []
        for _ in range(dice.randint(1, 12)):
            match dice.choice(("tick", "event", "open", "close", "close")):
                case "tick":
                    batch.append(tick(run_id, dice.choice(("route", "gather", "act"))))
                case "event":
                    batch.append(_event(run_id, second))
                case "open":
                    open_spans.append(_span(run_id, second))
                    batch.append(open_spans[-1])
                case "close" if open_spans:
                    span = open_spans.pop(dice.randrange(len(open_spans)))
                    batch.append(
                        {**span, "ended_at": _at(second + 1), "outcome": dice.choice(("ok", "empty", "timeout"))}
                    )
        made.append(batch or [tick(run_id)])
    made.insert(dice.randrange(5), [started(run_id)])
    return [*made, [finished(run_id)]]


def _at(second: float) -> str:
    return (START + timedelta(seconds=second)).isoformat()


def _event(run_id: uuid.UUID, second: int) -> Item:
    return {
        "type": "event", "id": str(uuid7()), "run": str(run_id), "at": _at(second), "token": "ROUTER_DECISION",
        "message": "to the doctor – né?", "fields": {"score": second},
    }  # fmt: skip


def _span(run_id: uuid.UUID, second: int) -> Item:
    return {
        "type": "span", "id": new_span_id(), "run": str(run_id), "at": _at(second), "kind": "tool",
        "name": f"search {second}", "arguments": {"q": "dns"},
    }  # fmt: skip


class Shown:
    """What a page shows of a run: its snapshot, changed by frames as `run.js` changes it."""

    def __init__(self) -> None:
        self.seq = 0
        self.run: dict[str, Any] | None = None
        self.rows: dict[str, dict[str, dict[str, Any]]] = {"ticks": {}, "spans": {}, "events": {}}

    def apply(self, frame: dict[str, Any]) -> None:
        """A frame of the log. It must follow on what is shown: no gap, nothing twice."""
        assert frame["after"] >= self.seq, "a frame came twice"
        self.run = frame["run"] or self.run
        for kind, rows in self.rows.items():
            for row in frame[kind]:
                assert frame["after"] < row["seq"] <= frame["seq"]
                rows[row["id"]] = row
        self.seq = frame["seq"]


def snapshot(run_id: uuid.UUID) -> Shown:
    """What a page that is loaded now shows, read in pages."""
    shown, more = Shown(), True
    while more:
        log = run_log(run_id, shown.seq, limit=7)
        assert log is not None
        shown.apply(dict(log))
        more = log["more"]
    return shown
