"""What can be wrong with one item of an export. Its ItemError is of the native door, and so is what is wrong with a whole body."""

from runs.ingest.errors import ItemError


class BadTraceIdError(ItemError):
    """A span without a trace that it could belong to."""

    code = "bad_trace_id"


class BadSpanIdError(ItemError):
    """A span without an id of its own."""

    code = "bad_span_id"


class BadTimeError(ItemError):
    """A time that no clock shows."""

    code = "bad_time"


class WrongTypeError(ItemError):
    """A field of another type than OTLP gives it."""

    code = "wrong_type"
