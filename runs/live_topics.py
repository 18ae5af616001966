"""What stands behind the live topics `run:<id>` and `runs:<environment>`."""

import json
import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import QuerySet

from agentconsole.errors import NotFoundError
from agentconsole.live import BadCursorError, Cursor, Page, SettledTopic, register_topic
from runs.access import environment_of_list, run_for
from runs.models import Run
from runs.queries.log import RunLog, run_log
from runs.queries.shapes import RunShape, run_shape

PAGE_ROWS = 500
PAGE_BYTES = 256 * 1024
LIST_TEXT = 200


class RunTopic:
    """A run's log; the cursor is its `seq`."""

    spacing_s: ClassVar[float] = 0.05
    is_ordered: ClassVar[bool] = True

    def __init__(self, name: str) -> None:
        self.run_id = _run_id_in(name)

    def start(self, after: object) -> Cursor:
        """`after` itself. BadCursorError unless it is a whole number from 0 to the run's seq. One query."""
        seq = Run.objects.filter(id=self.run_id).values_list("seq", flat=True).first()
        if seq is None:
            raise _no_such_run()
        if not isinstance(after, int) or isinstance(after, bool) or not 0 <= after <= seq:
            raise BadCursorError(f"`after` is a whole number from 0 to {seq}. Load the page again.")
        return after

    def read(self, after: Cursor, upto: Cursor | None) -> Page:
        """A page of the log. Four queries."""
        assert isinstance(after, int)
        log = run_log(self.run_id, after, limit=PAGE_ROWS)
        if log is None:
            raise _no_such_run()
        if isinstance(upto, int) and log["seq"] > upto:
            log = first_part(log, upto)
        text = _dump(log)
        while len(text) > PAGE_BYTES and (middle := _middle_of(log)) is not None:
            log = first_part(log, middle)
            text = _dump(log)
        return Page(text if log["run"] or _numbers_in(log) else "", log["seq"], more=log["more"])

    @classmethod
    def stale(cls, heads: Mapping[str, Cursor]) -> set[str]:
        """The runs whose seq is no longer the head's. One query."""
        seqs = Run.objects.filter(id__in=[_run_id_in(name) for name in heads]).values_list("id", "seq")
        now = {f"run:{run_id}": seq for run_id, seq in seqs}
        return {name for name, head in heads.items() if now.get(name) != head}


class RunsTopic(SettledTopic):
    """The runs of an environment that changed, their long texts cut."""

    part: ClassVar[str] = "runs"
    change_column: ClassVar[str] = "summary_seq"

    def rows(self) -> QuerySet[Run]:
        """The runs of the environment, by the index run_changes."""
        return Run.objects.filter(environment_id=self.environment).select_related("agent")

    def shape_of(self, row: Run) -> RunShape:
        """A run's shape with its long texts cut: a list shows their beginnings, and a frame of many runs stays small."""
        shape = run_shape(row)
        return {
            **shape,
            "query": shape["query"][:LIST_TEXT],
            "error": shape["error"][:LIST_TEXT],
            "summary": shape["summary"][:LIST_TEXT],
        }


def register() -> None:
    """Offer the topics to the hub."""
    register_topic("run", RunTopic, environment_of=_environment_of_run)
    register_topic("runs", RunsTopic, environment_of=environment_of_list)


def _environment_of_run(person: AbstractBaseUser | AnonymousUser, name: str) -> str:
    return run_for(person, _run_id_in(name)).environment_id


def first_part(log: RunLog, upto: int) -> RunLog:
    """What of a page lies at or before `upto`. A row that has changed since then is left for the next page, in its new state."""
    run = log["run"]
    return {
        **log,
        "seq": upto,
        "more": True,
        "run": run if run and run["seq"] <= upto else None,
        "ticks": [row for row in log["ticks"] if row["seq"] <= upto],
        "spans": [row for row in log["spans"] if row["seq"] <= upto],
        "events": [row for row in log["events"] if row["seq"] <= upto],
    }


def _numbers_in(log: RunLog) -> list[int]:
    return sorted(row["seq"] for rows in (log["ticks"], log["spans"], log["events"]) for row in rows)


def _middle_of(log: RunLog) -> int | None:
    """The seq that halves a page, None if one row is all there is."""
    numbers = _numbers_in(log)
    return numbers[len(numbers) // 2 - 1] if len(numbers) > 1 else None


def _run_id_in(name: str) -> uuid.UUID:
    try:
        run_id = uuid.UUID(name.removeprefix("run:"))
    except ValueError as error:
        raise _no_such_run() from error
    if name != f"run:{run_id}":
        raise _no_such_run()
    return run_id


def _no_such_run() -> NotFoundError:
    return NotFoundError("There is no such run, or it is in an environment that you can't see.")


def _dump(message: Any) -> str:
    return json.dumps(message, separators=(",", ":"))
