"""What an OTLP export says, whatever its encoding. Pure: https://github.com/open-telemetry/opentelemetry-proto.

Ids are lower-case hex, "" where there is none. Times are aware, in UTC. An attribute's value is what JSON has words for: text, true/false,
numbers, lists and dictionaries with text keys; bytes are base64 text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Attributes = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Resource:
    """What sent it: a process, by its attributes (`service.name` …)."""

    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scope:
    """The instrumentation that made it."""

    name: str = ""
    version: str = ""
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OtlpEvent:
    """A moment of a span."""

    at: datetime
    name: str
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OtlpLink:
    """Another span that a span points to."""

    trace_id: str
    span_id: str
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OtlpSpan:
    """A span. `kind` and `status_code` are OTLP's numbers (status: 0 unset, 1 ok, 2 error); `ended_at` is None where no end was told."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    started_at: datetime
    ended_at: datetime | None
    kind: int = 0
    attributes: Attributes = field(default_factory=dict)
    events: tuple[OtlpEvent, ...] = ()
    links: tuple[OtlpLink, ...] = ()
    status_code: int = 0
    status_message: str = ""
    resource: Resource = field(default_factory=Resource)
    scope: Scope = field(default_factory=Scope)


@dataclass(frozen=True, slots=True)
class OtlpLog:
    """A log record. `at` is when it happened, else when it was seen; `severity` is OTLP's number (1 to 24, 0 untold)."""

    at: datetime
    severity: int = 0
    severity_text: str = ""
    body: Any = None
    event_name: str = ""
    attributes: Attributes = field(default_factory=dict)
    trace_id: str = ""
    span_id: str = ""
    resource: Resource = field(default_factory=Resource)
    scope: Scope = field(default_factory=Scope)


@dataclass(frozen=True, slots=True)
class Refused:
    """An item that can't be stored: its place in the export, counted over all its spans or records, and what to do about it."""

    index: int
    code: str
    message: str
    span_id: str = ""


@dataclass(frozen=True, slots=True)
class Export:
    """One request: its good items, and those that were refused while reading. `count` is how many items it held."""

    count: int
    spans: tuple[OtlpSpan, ...] = ()
    logs: tuple[OtlpLog, ...] = ()
    refused: tuple[Refused, ...] = ()


@dataclass(frozen=True, slots=True)
class ExportOutcome:
    """What became of an export: every item is stored, was there already, or is refused."""

    stored: int
    duplicates: int = 0
    refused: tuple[Refused, ...] = ()
