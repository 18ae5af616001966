"""What can be wrong with a batch, and with one item of it."""

from typing import ClassVar

from typing_extensions import TypedDict

from agentconsole.errors import BadRequestError, ConsoleError, TooLargeError


class Rejection(TypedDict):
    """One refused item: its place in the batch, the id it gave, and what to do about it."""

    index: int
    id: str | None
    code: str
    message: str


class MalformedBodyError(BadRequestError):
    """Nothing could be read: not JSON, not UTF-8, a broken compression, no list of items."""

    code = "malformed_body"


class UnsupportedEncodingError(BadRequestError):
    """A Content-Encoding that the console does not read."""

    code = "unsupported_encoding"
    http_status = 415


class BodyTooLargeError(TooLargeError):
    """The body expands beyond its cap, or holds more items than one batch may."""

    code = "body_too_large"


class BusyError(ConsoleError):
    """The database could not take the batch now. Nothing of it is stored."""

    code = "busy"
    http_status = 503
    title = "Busy"


class ItemError(ValueError):
    """One item can't be stored. The others of its batch can."""

    code: ClassVar[str] = "invalid"


class NotAnObjectError(ItemError):
    """An item that is no JSON object, or a line that is no JSON."""

    code = "not_an_object"


class UnknownTypeError(ItemError):
    """An item of a type that this console does not know."""

    code = "unknown_type"


class TooDeepError(ItemError):
    """A payload nested deeper than clean.MAX_DEPTH."""

    code = "too_deep"


class ItemTooLargeError(ItemError):
    """A payload of structure that can't be cut: attributes, event fields."""

    code = "too_large"


class BadTextError(ItemError):
    """A NUL character or a lone surrogate: PostgreSQL stores neither."""

    code = "bad_text"


class BadNumberError(ItemError):
    """NaN or an infinity: JSON has neither."""

    code = "bad_number"


class NotYoursError(ItemError):
    """The run's id is in use by another agent or environment."""

    code = "run_not_yours"


class AlreadyFinishedError(ItemError):
    """A second end of a run that differs from the first."""

    code = "already_finished"


class ConsoleSpanError(ItemError):
    """A span that the console itself wrote: the record that the run waited for a person."""

    code = "console_span"
