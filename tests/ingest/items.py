"""Items as a sender makes them."""

from typing import Any

from agentconsole.protocol.ids import new_span_id, uuid7

AT = "2026-11-22T20:00:00.000000Z"
LATER = "2026-11-22T20:00:02.500000Z"
Item = dict[str, Any]


def new_run() -> str:
    return str(uuid7())


def run_started(run: str, **more: Any) -> Item:
    return {"type": "run.started", "id": run, "at": AT, "request_id": "req-1", "transport": "cli", **more}


def run_finished(run: str, **more: Any) -> Item:
    return {"type": "run.finished", "id": run, "at": LATER, "status": "succeeded", **more}


def tick(run: str, phase: str = "gather", state: str = "entered", **more: Any) -> Item:
    return {"type": "tick", "id": str(uuid7()), "run": run, "at": AT, "phase": phase, "state": state, **more}


def event(run: str, token: str = "ROUTER_DECISION", **more: Any) -> Item:
    return {"type": "event", "id": str(uuid7()), "run": run, "at": AT, "token": token, **more}


def span(run: str, **more: Any) -> Item:
    return {"type": "span", "id": new_span_id(), "run": run, "at": AT, "kind": "tool", "name": "lookup_order", **more}


def ended(started: Item, outcome: str = "ok", **more: Any) -> Item:
    return {**started, "ended_at": LATER, "outcome": outcome, **more}


def whole_run(run: str) -> list[Item]:
    """A run with a phase, a tool call (its start and its end), an event and an end."""
    call = span(run, arguments={"order": "A-1009"})
    return [
        run_started(run),
        tick(run),
        call,
        ended(call, result="shipped"),
        event(run),
        tick(run, state="left", at=LATER),
        run_finished(run),
    ]
