"""What both encodings are held to: bounds, times, numbers and texts. Pure.

An item is refused only where it has no place: without its ids, without a time, or without a form. Lesser trouble is put right where it
stands: what no database keeps is replaced, a parent's or a log's id that is none is left out, an event without a time takes its span's.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from runs.ingest.errors import BodyTooLargeError, ItemError
from runs.ingest.wire import EARLIEST, MAX_AHEAD
from traces.otlp.errors import BadTimeError
from traces.otlp.shapes import Export, OtlpLog, OtlpSpan, Refused

Item = TypeVar("Item")

# Collectors send 8,192 at a time unless told otherwise; what refuses a batch of theirs loses it.
MAX_ITEMS = 20_000
# Attributes, events and links of a whole body. The largest real spans have some 60.
MAX_VALUES = 500_000
# Of one item, resource or scope: SDKs stop at 128 unless told otherwise. Those beyond are left out, and counted.
MAX_ATTRIBUTES = 1_000
LEFT_OUT = "agentconsole.attributes_left_out"
# Lists in lists; less than what is cleaned before it is stored may have (`runs.ingest.clean.MAX_DEPTH`).
MAX_DEPTH = 24
TOO_DEEP = f"[nested deeper than {MAX_DEPTH}]"
MOST_KIND, MOST_STATUS, MOST_SEVERITY = 5, 2, 24
_SHOWN = 64
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000_000


class Reading:
    """An export as far as it has been read. BodyTooLargeError as soon as it holds more than one may."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.spans: list[OtlpSpan] = []
        self.logs: list[OtlpLog] = []
        self.refused: list[Refused] = []
        self._values = 0
        self._earliest = int(EARLIEST.timestamp()) * _SECOND
        self._latest = int((now + MAX_AHEAD).timestamp()) * _SECOND

    @property
    def count(self) -> int:
        """How many items there were so far; also the place of the next one."""
        return len(self.spans) + len(self.logs) + len(self.refused)

    def refuse(self, error: ItemError, span_id: str) -> None:
        """The next item can't be stored."""
        self.refused.append(Refused(self.count, error.code, str(error), span_id[:_SHOWN]))

    def counted(self, items: Sequence[Item]) -> Sequence[Item]:
        """The items that come now. BodyTooLargeError where they are too many."""
        if self.count + len(items) > MAX_ITEMS:
            raise BodyTooLargeError(f"More than {MAX_ITEMS} items in one export. Send smaller batches.")
        return items

    def expect_values(self, more: int) -> None:
        """So many attributes, events or links come now."""
        self._values += more
        if self._values > MAX_VALUES:
            raise BodyTooLargeError(f"More than {MAX_VALUES} attributes in one export. Send smaller batches.")

    def is_time(self, nanos: int) -> bool:
        """Whether a clock can have shown it: nanoseconds since 1970, from the year 2000 to a day ahead."""
        return self._earliest <= nanos <= self._latest

    def time(self, nanos: int, name: str) -> datetime:
        """The time of so many nanoseconds since 1970, to the microsecond. BadTimeError names the field."""
        if not self._earliest <= nanos <= self._latest:
            raise BadTimeError(
                f"{name} is {nanos}: not within the year 2000 and a day ahead. Send nanoseconds since 1970."
            )
        return _EPOCH + timedelta(0, 0, nanos // 1000)

    def export(self) -> Export:
        """What it is, now that it has been read."""
        return Export(self.count, tuple(self.spans), tuple(self.logs), tuple(self.refused))


def storable(text: str) -> str:
    """The text with what PostgreSQL does not keep replaced: NUL by its picture."""
    return text.replace("\x00", "\u2400") if "\x00" in text else text


def number(value: float) -> float | str:
    """A number, or its name where JSON has no number for it."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def known(value: int, most: int) -> int:
    """A value of an enumeration; 0, which they all keep for it, where this console does not know it."""
    return value if 0 <= value <= most else 0


def told_of_rest(kept: dict[str, Any], given: int) -> Mapping[str, Any]:
    """Attributes with a note of how many were left out of those given, if any were."""
    if given > MAX_ATTRIBUTES:
        kept[LEFT_OUT] = given - MAX_ATTRIBUTES
    return kept
