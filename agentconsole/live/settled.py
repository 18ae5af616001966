"""Lists of what changed, in which transactions may end out of order: the one reader behind `runs:…` and its like."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone

from agentconsole.errors import BadRequestError
from agentconsole.live.layer import Cursor
from agentconsole.live.source import BadCursorError, Page
from agentconsole.protocol.times import iso

SETTLED_AFTER = timedelta(seconds=10)
LIST_GAP_MAX = timedelta(hours=1)


class CursorTooOldError(BadRequestError):
    """So much has changed since that loading the page anew is less work for everybody."""

    code = "cursor_too_old"


class SettledTopic:
    """Rows that changed, in frames `{"topic", "seq", <part>: [row, …]}`; the cursor is the time up to which that is settled.

    `updated_at` is taken inside the writing transaction, so rows can appear behind one another's backs until the slowest
    of them has been committed. The cursor therefore stays SETTLED_AFTER behind the clock; what is younger is read again
    each time, and left out if those who stand at the cursor have had it.

    A list says what its frames call the rows, which column of a row has another value after each change, which rows are
    shown under a name (a model with `updated_at`, indexed), and how one is told.
    """

    # People read a list; four frames a second of it are live enough.
    spacing_s: ClassVar[float] = 0.25
    is_ordered: ClassVar[bool] = False
    page_rows: ClassVar[int] = 500
    part: ClassVar[str]
    change_column: ClassVar[str]

    def __init__(self, name: str) -> None:
        self.name = name
        self._told: set[tuple[Any, Any]] = set()
        self._told_at: Cursor | None = None

    @property
    def environment(self) -> str:
        """What the topic's name says after its colon."""
        return self.name.partition(":")[2]

    def rows(self) -> QuerySet[Any]:
        """All rows that the topic shows, with what `shape_of` needs loaded. Each read orders and bounds them by `updated_at`."""
        raise NotImplementedError

    def shape_of(self, row: Any) -> Mapping[str, Any]:
        """A row as its frames tell it: JSON. A frame of many rows stays small if their long texts are cut."""
        raise NotImplementedError

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
        """Rows that changed after the cursor, in the order of their change. Two queries, or three in a crowd, and what `rows` prefetches."""
        assert isinstance(after, str)
        settled = upto if isinstance(upto, str) else max(after, iso(timezone.now() - SETTLED_AFTER))
        changed, more = self._changed(after, settled)
        cursor = iso(changed[-1][2]) if more else settled
        news = {(key, change) for key, change, _at in changed}
        if upto is None:
            had = self._told if self._told_at == after else set()
            self._told = {(key, change) for key, change, at in changed if iso(at) > cursor}
            self._told_at = cursor
            news -= had
        if not news:
            return Page("", cursor, more=more)
        rows = self.rows().filter(pk__in=[key for key, _change in news])
        shapes = [self.shape_of(row) for row in sorted(rows, key=lambda row: (row.updated_at, row.pk))]
        frame = {"topic": self.name, "seq": cursor, self.part: shapes}
        return Page(json.dumps(frame, separators=(",", ":")), cursor, more=more)

    def _changed(self, after: str, settled: str) -> tuple[list[tuple[Any, Any, datetime]], bool]:
        """Key, change and time of what changed after `after`, and whether that stops short of `settled` because it is a crowd."""
        rows = self.rows().filter(updated_at__gt=after).order_by("updated_at", "pk")
        columns = rows.values_list("pk", self.change_column, "updated_at")
        crowd = list(columns.filter(updated_at__lte=settled)[: self.page_rows])
        if len(crowd) < self.page_rows:
            return crowd + list(columns.filter(updated_at__gt=settled)), False
        # The rows of one batch share their time: a page ends with the last of them, not among them.
        last = crowd[-1][2]
        return [row for row in crowd if row[2] < last] + list(columns.filter(updated_at=last)), True

    @classmethod
    def stale(cls, heads: Mapping[str, Cursor]) -> set[str]:
        """All of them: what is not settled can only be found by reading it, which is as cheap as asking."""
        return set(heads)


def _time_in(after: object) -> datetime | None:
    if not isinstance(after, str):
        return None
    try:
        at = datetime.fromisoformat(after)
    except ValueError:
        return None
    return at if at.tzinfo else None
