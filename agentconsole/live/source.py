"""What stands behind a topic: the apps register who can read it, and who may hear it; the kernel knows no runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from agentconsole.errors import BadRequestError, NotFoundError
from agentconsole.live.layer import Cursor


class BadCursorError(BadRequestError):
    """An `after` that is none of this topic's cursors."""

    code = "bad_cursor"


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


# The environment that a topic's name shows, if the person may see it. NotFoundError else, whether it exists or not.
EnvironmentOf = Callable[[AbstractBaseUser | AnonymousUser, str], str]


class _Kind(NamedTuple):
    reader: type[TopicReader]
    environment_of: EnvironmentOf


_kinds: dict[str, _Kind] = {}


def register_topic(prefix: str, reader: type[TopicReader], *, environment_of: EnvironmentOf) -> None:
    """Topics named `prefix:…` are read by `reader`, for people to whom `environment_of` says where that is."""
    _kinds[prefix] = _Kind(reader, environment_of)


def reader_of(name: str) -> type[TopicReader]:
    """The reader of a topic's name. NotFoundError if nobody registered it."""
    return _kind_of(name).reader


def environment_of(person: AbstractBaseUser | AnonymousUser, name: str) -> str:
    """The environment that a topic shows, if the person may see it. NotFoundError else, whether it exists or not."""
    return _kind_of(name).environment_of(person, name)


def _kind_of(name: str) -> _Kind:
    kind = _kinds.get(name.partition(":")[0])
    if kind is None:
        raise NotFoundError("There is no such topic, or it shows an environment that you can't see.")
    return kind
