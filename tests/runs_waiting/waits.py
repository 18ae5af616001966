"""Runs that wait for a person, made as approvals makes them."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from runs.models import Run, Span
from runs.services.waits import begin_wait, end_wait
from runs.wait_spans import wait_span_id
from tests.cast import AgentCaller
from tests.ingest.items import new_run, run_started, span, tick

ASKED_AT = datetime(2026, 11, 22, 20, 0, 1, tzinfo=UTC)
DECIDED_AT = ASKED_AT + timedelta(seconds=90)


def open_run(agent: AgentCaller, **more: Any) -> Run:
    """A run that is in a phase and has made a call."""
    run_id = new_run()
    agent.send(run_started(run_id, **more), tick(run_id), span(run_id))
    return Run.objects.get(id=run_id)


def ask(run: Run, action_id: uuid.UUID | None = None, *, at: datetime = ASKED_AT) -> uuid.UUID:
    """The run waits for an action; its id."""
    action_id = action_id or uuid.uuid4()
    with transaction.atomic():
        begin_wait(run=run, action_id=action_id, name="approval: restart checkout", at=at)
    return action_id


def decide(run: Run, action_id: uuid.UUID, outcome: str = "ok", message: str = "approved by omar") -> None:
    with transaction.atomic():
        end_wait(run_id=run.id, action_id=action_id, at=DECIDED_AT, outcome=outcome, message=message)


def wait_of(run: Run, action_id: uuid.UUID) -> Span:
    """The span of the wait."""
    return Span.objects.get(run_id=run.id, span_id=wait_span_id(action_id))


def now_of(run: Run) -> Run:
    return Run.objects.select_related("agent").get(id=run.id)
