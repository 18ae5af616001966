"""The items of the native ingest, and how one is validated. The OpenAPI document is made from these classes."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    UUID7,
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from agentconsole.protocol.beats import COMPONENT_NAME_CHARS, MAX_COMPONENTS
from agentconsole.protocol.context import Transport
from agentconsole.protocol.envelope import Outcome
from agentconsole.protocol.ids import is_request_id, is_span_id, is_trace_id
from agentconsole.protocol.redaction import scrub_text
from agentconsole.protocol.tokens import Level, is_token
from runs.ingest.errors import BadTextError, ItemError, NotAnObjectError, UnknownTypeError
from runs.models import SPAN_OUTCOMES

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
MAX_AHEAD = timedelta(days=1)
_NEVER = datetime.min.replace(tzinfo=UTC)
_MAX_MS = 366 * 86_400_000


def _read_time(value: Any) -> datetime:
    """Times are text: pydantic would read a bare number as Unix seconds."""
    if not isinstance(value, str):
        raise ValueError("give the time as RFC 3339 text with an offset")  # noqa: TRY004  pydantic makes it the item's error
    try:
        at = datetime.fromisoformat(value)
    except ValueError as error:
        raise ValueError("not a time: give RFC 3339 text, like 2026-01-31T23:59:59.5Z") from error
    if at.tzinfo is None:
        raise ValueError("the time has no offset: end it with Z or +00:00")
    try:
        at = at.astimezone(UTC)
    except OverflowError:
        at = _NEVER
    if at < EARLIEST:
        raise ValueError("the time is before the year 2000")
    return at


def _read_moment(value: Any) -> datetime:
    at = _read_time(value)
    if at > datetime.now(UTC) + MAX_AHEAD:
        raise ValueError("the time is more than a day ahead of the console's clock")
    return at


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("the text holds a NUL character; send U+2400 instead")
    return text


def _checked(test: Any, meaning: str) -> AfterValidator:
    def check(text: str) -> str:
        if not test(text):
            raise ValueError(f"not {meaning}")
        return text

    return AfterValidator(check)


_TIME_SCHEMA = WithJsonSchema({"type": "string", "format": "date-time"})
Time = Annotated[datetime, PlainValidator(_read_moment), _TIME_SCHEMA]  # when something was: no clock is a day ahead
Deadline = Annotated[datetime, PlainValidator(_read_time), _TIME_SCHEMA]  # when something will be
RequestId = Annotated[str, _checked(is_request_id, "a request id: 1 to 128 of A-Za-z0-9._:/@+=-")]
SpanId = Annotated[str, _checked(is_span_id, "a span id: 16 lower-case hex digits, not all zero")]
TraceId = Annotated[str, _checked(is_trace_id, "a trace id: 32 lower-case hex digits, not all zero")]
TokenName = Annotated[str, _checked(is_token, "a token: UPPER_SNAKE, at most 64 characters")]
Label = Annotated[str, StringConstraints(max_length=200), AfterValidator(_storable)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_storable)]
Phase = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_storable)]
ComponentName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=COMPONENT_NAME_CHARS),
    _checked(str.isprintable, "on one line, with every character visible"),
]
Prose = Annotated[str, AfterValidator(_storable)]
Milliseconds = Annotated[int, Field(ge=0, le=_MAX_MS)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Item(BaseModel):
    model_config = ConfigDict(extra="allow")

    at: Time
    request_id: RequestId | None = None


class RunStarted(_Item):
    """A run began. `id` is the run's."""

    type: Literal["run.started"]
    id: UUID7
    request_id: RequestId
    transport: Transport
    query: Prose = ""
    subject: Label = ""
    on_behalf_of: Label = ""
    session_id: Label = ""
    trace_id: TraceId | None = None
    deadline: Deadline | None = None
    heartbeat_s: Seconds = 10
    lease_s: Seconds = 60
    attributes: dict[str, Any] = Field(default_factory=dict)


class Tick(_Item):
    """A phase was entered, is still going, or was left."""

    type: Literal["tick"]
    id: UUID7
    run: UUID7
    phase: Phase
    state: Literal["entered", "alive", "left"]
    detail: Annotated[Prose, StringConstraints(max_length=500)] = ""


class BudgetPart(_Part):
    """How long a call may take, in milliseconds."""

    soft_ms: Milliseconds
    hard_ms: Milliseconds


class AttemptPart(_Part):
    """One try of a call."""

    at: Time
    elapsed_ms: Milliseconds
    outcome: Outcome
    message: Annotated[Prose, StringConstraints(max_length=2000)] = ""


class HintPart(_Part):
    """What the agent could do instead."""

    fallback_to: Label
    reason: Annotated[Prose, StringConstraints(max_length=2000)]


class CutPart(_Part):
    """What a sender knows of a text that it cut itself: its whole length and digest, and where its marker stands."""

    chars: Annotated[int, Field(ge=0, le=2**53)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    at: Annotated[int, Field(ge=0, le=2**53)]
    left_out: Annotated[int, Field(ge=0, le=2**53)]


class SpanItem(_Item):
    """A span as it stands: sent when it starts, when it changes and when it ends. `at` is its start."""

    type: Literal["span"]
    id: SpanId
    run: UUID7
    kind: Literal["subagent", "tool", "model", "retrieval", "step"]
    name: Name
    parent: SpanId | None = None
    phase: Phase | Literal[""] = ""
    agent: Label = ""
    ended_at: Time | None = None
    outcome: (
        Annotated[str, _checked(frozenset(SPAN_OUTCOMES).__contains__, "one of " + ", ".join(SPAN_OUTCOMES))] | None
    ) = None
    arguments: Any = None
    result: Any = None
    message: Prose = ""
    retryable: bool = False
    elapsed_ms: Milliseconds | None = None
    budget: BudgetPart | None = None
    attempts: Annotated[list[AttemptPart], Field(max_length=100)] = Field(default_factory=list)
    hint: HintPart | None = None
    cut: dict[Literal["arguments", "result", "message"], CutPart] = Field(default_factory=dict)
    trace_id: TraceId | None = None
    attributes: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _ended_where_it_says_so(self) -> "SpanItem":
        if self.outcome in _FINISHED and self.ended_at is None:
            raise ValueError(f"an outcome of {self.outcome} needs ended_at")
        return self


_FINISHED = frozenset({*Outcome, "unreported"})


class EventItem(_Item):
    """One structured log record."""

    type: Literal["event"]
    id: UUID7
    run: UUID7
    token: TokenName
    level: Level = Level.INFO
    message: Prose = ""
    fields: dict[str, Any] = Field(default_factory=dict)
    span: SpanId | None = None


class RunFinished(_Item):
    """A run reached its end. `id` is the run's."""

    type: Literal["run.finished"]
    id: UUID7
    status: Literal["succeeded", "failed", "timed_out", "cancelled"]
    summary: Prose = ""
    error: Prose = ""


class MissingTool(_Part):
    """A tool that an instance expected and does not have."""

    name: Name
    reason: Annotated[Prose, StringConstraints(max_length=500)] = ""


class Startup(_Item):
    """What an agent's instance found when it started."""

    type: Literal["agent.startup"]
    id: UUID7
    expected: Annotated[list[Name], Field(max_length=500)] = Field(default_factory=list)
    loaded: Annotated[list[Name], Field(max_length=500)] = Field(default_factory=list)
    missing: Annotated[list[MissingTool], Field(max_length=500)] = Field(default_factory=list)
    version: Label = ""
    sdk: Label = ""
    host: Label = ""
    pid: Annotated[int, Field(ge=0, le=2**31)] | None = None


class ComponentPart(_Part):
    """A component that an instance declared. `age_s` is how long ago it last worked, None if it never has; `failure` what has
    gone wrong since. Ages, not times: the instance's clock need not be right."""

    name: ComponentName
    critical: bool = True
    lease_s: Seconds = 30
    age_s: Annotated[float, Field(ge=0, le=_MAX_MS / 1000, allow_inf_nan=False)] | None = None
    detail: Annotated[Prose, StringConstraints(max_length=500)] = ""
    failure: Annotated[Prose, StringConstraints(max_length=500)] = ""


class Beat(_Item):
    """A sign of life of an agent's process, with all its components as they stand. It counts for `lease_s`.

    `boot` is made anew by each process, `number` grows from one beat to the next; `runs` are open or began since the last
    beat; `ended` says that the process ends on purpose.
    """

    type: Literal["agent.beat"]
    id: UUID7
    boot: UUID
    number: Annotated[int, Field(ge=0, le=2**53)]
    lease_s: Seconds = 30
    runs: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    components: Annotated[list[ComponentPart], Field(max_length=MAX_COMPONENTS)] = Field(default_factory=list)
    ended: bool = False

    @model_validator(mode="after")
    def _each_component_once(self) -> "Beat":
        if len({part.name for part in self.components}) < len(self.components):
            raise ValueError("a component is named twice")
        return self


Item = RunStarted | Tick | SpanItem | EventItem | RunFinished | Startup | Beat
RunItem = RunStarted | Tick | SpanItem | EventItem | RunFinished

_READERS: dict[str, TypeAdapter[Any]] = {
    "run.started": TypeAdapter(RunStarted),
    "tick": TypeAdapter(Tick),
    "span": TypeAdapter(SpanItem),
    "event": TypeAdapter(EventItem),
    "run.finished": TypeAdapter(RunFinished),
    "agent.startup": TypeAdapter(Startup),
    "agent.beat": TypeAdapter(Beat),
}
_TIME = TypeAdapter[datetime](Time)


def read_item(raw: Any) -> Item:
    """A valid item, or ItemError with what is wrong and where."""
    if isinstance(raw, ItemError):
        raise raw
    if not isinstance(raw, dict):
        raise NotAnObjectError("An item is a JSON object.")
    kind = raw.get("type")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise UnknownTypeError(f"Unknown type {scrub_text(str(kind)[:200])[0][:40]!r}. Known: {', '.join(_READERS)}.")
    try:
        item: Item = reader.validate_python(raw)
    except ValidationError as error:
        raise _as_item_error(error) from error
    return item


def _as_item_error(error: ValidationError) -> ItemError:
    first = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(str(step) for step in first["loc"]) or "item"
    kind = BadTextError if "NUL" in first["msg"] or first["type"] == "string_unicode" else ItemError
    return kind(_printable(f"{place}: {first['msg'].removeprefix('Value error, ')}"))


def _printable(text: str) -> str:
    return re.sub(r"[\x00-\x1f\ud800-\udfff]", "\ufffd", scrub_text(text)[0][:500])


def read_time(text: str | None) -> datetime | None:
    """A time as items carry it, or None if there is none or it is no such time."""
    try:
        return _TIME.validate_python(text)
    except ValidationError:
        return None


def run_of(item: RunItem) -> UUID:
    """The id of the run that an item belongs to."""
    return item.id if isinstance(item, RunStarted | RunFinished) else item.run
