"""What stands behind a topic: the apps register who can read it; the kernel knows no runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from agentconsole.errors import NotFoundError
from agentconsole.live.layer import Cursor


@dataclass(frozen=True, slots=True)
class Page:
    """Rows after a cursor, serialised once for all who stand there.

    `cursor` is where they stand afterwards, `more` whether there is more to read at once. `text` is empty where there is
    nothing to say and only the cursor moves. ASCII, so that its length is its size.
    """

    text: str
    cursor: Cursor
    more: bool = False


class TopicReader(Protocol):
    """Reads one topic; made when its first subscriber comes, dropped with its last. Called in threads, one call at a time.

    `spacing_s` is the least time between two frames of the topic: what happens within it comes as one. `is_ordered`
    says that rows are committed in the order of their cursors, so that a hint at or before the head tells nothing new.
    """

    spacing_s: ClassVar[float]
    is_ordered: ClassVar[bool]

    def __init__(self, name: str) -> None: ...

    def start(self, after: object) -> Cursor:
        """The cursor that a subscriber's `after` means. ConsoleError if it means none, or lies beyond the topic's end."""
        ...

    def read(self, after: Cursor, upto: Cursor | None) -> Page:
        """The rows after a cursor, and no further than `upto` if given: that is where others stand, to be joined exactly.

        NotFoundError when the topic is gone.
        """
        ...

    @classmethod
    def stale(cls, heads: Mapping[str, Cursor]) -> set[str]:
        """Which of these topics may have news beyond their heads: one cheap query for all of them."""
        ...


_readers: dict[str, type[TopicReader]] = {}


def register_topic(prefix: str, reader: type[TopicReader]) -> None:
    """Topics named `prefix:…` are read by `reader`."""
    _readers[prefix] = reader


def reader_of(name: str) -> type[TopicReader]:
    """The reader of a topic's name. NotFoundError if nobody registered it."""
    reader = _readers.get(name.partition(":")[0])
    if reader is None:
        raise NotFoundError("There is no such topic. Subscribe to run:<id> or runs:<environment>.")
    return reader
