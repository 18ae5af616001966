"""What stands behind the live topics `run:<id>` and `runs:<environment>`."""

import json
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.utils import timezone

from agentconsole.errors import BadRequestError, NotFoundError
from agentconsole.live import Cursor, Page, register_topic
from runs.access import run_for, visible_environments
from runs.models import Run
from runs.queries.log import RunLog, run_log
from runs.queries.shapes import RunShape, iso, run_shape

PAGE_ROWS = 500
PAGE_BYTES = 256 * 1024
SETTLED_AFTER = timedelta(seconds=10)
LIST_GAP_MAX = timedelta(hours=1)
LIST_TEXT = 200


class BadCursorError(BadRequestError):
    """An `after` that is none of this topic's cursors."""

    code = "bad_cursor"


class CursorTooOldError(BadRequestError):
    """So much has changed since that loading the page anew is less work for everybody."""

    code = "cursor_too_old"


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


class RunsTopic:
    """The runs of an environment that changed; the cursor is the time up to which that is settled.

    `updated_at` is taken inside the writing transaction, so rows can appear behind one another's backs until the slowest
    of them has been committed. The cursor therefore stays SETTLED_AFTER behind the clock; what is younger is read again
    each time, and left out if those who stand at the cursor have had it.
    """

    # People read a list; four frames a second of it are live enough.
    spacing_s: ClassVar[float] = 0.25
    is_ordered: ClassVar[bool] = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.environment = name.partition(":")[2]
        self._told: set[tuple[uuid.UUID, int]] = set()
        self._told_at: Cursor | None = None

    def start(self, after: object) -> Cursor:
        """A little before `after`, for what was then under way. BadCursorError unless it is an aware ISO time; CursorTooOldError."""
        at = _time_in(after)
        now = timezone.now()
        if at is None or at > now + SETTLED_AFTER:
            raise BadCursorError("`after` is an ISO 8601 time with offset, not in the future. Load the page again.")
        if at < now - LIST_GAP_MAX:
            raise CursorTooOldError("The list is more than an hour old. Load the page again.")
        return iso(min(at, now) - SETTLED_AFTER)

    def read(self, after: Cursor, upto: Cursor | None) -> Page:
        """Runs that changed after the cursor, in the order of their change. Two queries, or three in a crowd."""
        assert isinstance(after, str)
        settled = upto if isinstance(upto, str) else max(after, iso(timezone.now() - SETTLED_AFTER))
        changed, more = self._changed(after, settled)
        cursor = iso(changed[-1][2]) if more else settled
        news = {(run_id, seq) for run_id, seq, _at in changed}
        if upto is None:
            had = self._told if self._told_at == after else set()
            self._told = {(run_id, seq) for run_id, seq, at in changed if iso(at) > cursor}
            self._told_at = cursor
            news -= had
        if not news:
            return Page("", cursor, more=more)
        runs = Run.objects.select_related("agent").filter(id__in=[run_id for run_id, _seq in news])
        shapes = [_list_shape(run) for run in sorted(runs, key=lambda run: (run.updated_at, run.id))]
        return Page(_dump({"topic": self.name, "seq": cursor, "runs": shapes}), cursor, more=more)

    def _changed(self, after: str, settled: str) -> tuple[list[tuple[uuid.UUID, int, datetime]], bool]:
        """Id, seq and time of what changed after `after`, and whether that stops short of `settled` because it is a crowd."""
        rows = Run.objects.filter(environment_id=self.environment, updated_at__gt=after).order_by("updated_at", "id")
        columns = rows.values_list("id", "summary_seq", "updated_at")
        crowd = list(columns.filter(updated_at__lte=settled)[:PAGE_ROWS])
        if len(crowd) < PAGE_ROWS:
            return crowd + list(columns.filter(updated_at__gt=settled)), False
        # The rows of one batch share their time: a page ends with the last of them, not among them.
        last = crowd[-1][2]
        return [row for row in crowd if row[2] < last] + list(columns.filter(updated_at=last)), True

    @classmethod
    def stale(cls, heads: Mapping[str, Cursor]) -> set[str]:
        """All of them: what is not settled can only be found by reading it, which is as cheap as asking."""
        return set(heads)


def register() -> None:
    """Offer the topics to the hub."""
    register_topic("run", RunTopic)
    register_topic("runs", RunsTopic)


def environment_of(person: AbstractBaseUser | AnonymousUser, name: str) -> str:
    """The environment that a topic shows, if the person may see it. NotFoundError else, whether it exists or not."""
    if name.startswith("run:"):
        return run_for(person, _run_id_in(name)).environment_id
    environment = name.partition(":")[2]
    if not name.startswith("runs:") or environment not in visible_environments(person):
        raise NotFoundError("There is no such topic, or it shows an environment that you can't see.")
    return environment


def _list_shape(run: Run) -> RunShape:
    """A run's shape with its long texts cut: a list shows their beginnings, and a frame of many runs stays small."""
    shape = run_shape(run)
    return {
        **shape,
        "query": shape["query"][:LIST_TEXT],
        "error": shape["error"][:LIST_TEXT],
        "summary": shape["summary"][:LIST_TEXT],
    }


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


def _time_in(after: object) -> datetime | None:
    if not isinstance(after, str):
        return None
    try:
        at = datetime.fromisoformat(after)
    except ValueError:
        return None
    return at if at.tzinfo else None


def _dump(message: Any) -> str:
    return json.dumps(message, separators=(",", ":"))
