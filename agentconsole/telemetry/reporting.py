"""Errors, sent by Sentry's SDK: what the console logs as an error, with its request's id and without what it was about.

Nothing about people is collected: the SDK's default, of whose two names one is deprecated. None of the SDK's integrations but the one for a process that dies of an exception: they collect requests, headers, breadcrumbs
and log lines as they are before redaction, and the console logs each of its errors already.
"""

import logging
import sys
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import sentry_sdk
from django.conf import settings
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.transport import HttpTransport
from sentry_sdk.types import Event, Hint
from sentry_sdk.utils import event_from_exception

from agentconsole.errors import ConsoleError
from agentconsole.faults import fault_words
from agentconsole.protocol.context import current_context
from agentconsole.sdk.version import __version__
from agentconsole.telemetry.cleaning import clean
from agentconsole.telemetry.complaints import complain

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]
# What the console adds to an event, and the SDK's own that say nothing about people or payloads.
_KEPT = frozenset({
    "event_id", "timestamp", "level", "logger", "message", "exception", "tags", "environment", "release", "server_name",
    "platform", "sdk", "contexts",
})  # fmt: skip
_CONTEXTS = frozenset({"runtime"})


class Transport(HttpTransport):
    """The SDK's own, in its own thread; what it can't deliver is said, rarely."""

    TIMEOUT = 10

    def on_dropped_event(self, _reason: str) -> None:
        """An event was lost: the receiver is away, refuses, or is slower than errors come."""
        complain("errors", _reason)


class Reporting(logging.Handler):
    """Makes an event of each line that is logged as an error, in this process."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        sentry_sdk.init(
            dsn=settings.SENTRY_DSN,
            environment=settings.SENTRY_ENVIRONMENT,
            release=f"agentconsole@{__version__}",
            transport=Transport,
            before_send=as_it_may_leave,
            default_integrations=False,
            auto_enabling_integrations=False,
            integrations=[ExcepthookIntegration()],
            include_local_variables=False,
            include_source_context=False,
            max_request_body_size="never",
            max_breadcrumbs=0,
            auto_session_tracking=False,
            send_client_reports=False,
        )
        logging.getLogger().addHandler(self)

    def detach(self) -> None:
        """Make no more events."""
        logging.getLogger().removeHandler(self)

    def end(self, within_s: float) -> None:
        """Send what is left."""
        sentry_sdk.get_client().close(timeout=within_s)

    def emit(self, record: logging.LogRecord) -> None:
        """One line. Of lines that are not the console's own the message may quote anything, so an exception has to be there."""
        fields = record.msg if isinstance(record.msg, dict) else {}
        token = str(fields.get("event", ""))
        found = _exc_info(fields.get("exc_info") or record.exc_info)
        if not (token or found) or (found and isinstance(found[1], ConsoleError)):
            return
        try:
            event, hint = _event_of(found)
            event |= {"level": "fatal" if record.levelno >= logging.CRITICAL else "error", "logger": record.name}
            if token:
                event["message"] = token
            event["tags"] = {"log.event": token or record.name, **_request_tags()}
            sentry_sdk.capture_event(event, hint)
        except Exception:  # noqa: BLE001  the edge to a library, inside of a log call: `handleError` is logging's way
            self.handleError(record)


def _exc_info(found: object) -> ExcInfo | None:
    """What stands under `exc_info` in a log call: an exception, a triple, or True for the one that is being handled."""
    if isinstance(found, BaseException):
        return type(found), found, found.__traceback__
    kind, error, trace = found if isinstance(found, tuple) else sys.exc_info() if found else (None, None, None)
    return (kind, error, trace) if kind is not None and error is not None else None


def _event_of(found: ExcInfo | None) -> tuple[Event, Hint]:
    if found is None:
        return {}, {}
    mechanism = {"type": "logging", "handled": True}
    return event_from_exception(found, client_options=sentry_sdk.get_client().options, mechanism=mechanism)


def _request_tags() -> dict[str, str]:
    context = current_context()
    fields = context.log_fields() if context else {}
    return {name: fields[name] for name in ("request_id", "trace_id", "transport", "environment") if name in fields}


def as_it_may_leave(event: Event, hint: Hint) -> Event | None:
    """The event with what is listed alone, each exception in the words of `fault_words`; None for an error that people are told."""
    error = hint["exc_info"][1] if hint.get("exc_info") else None
    if isinstance(error, ConsoleError):
        return None
    left: dict[str, Any] = {name: value for name, value in event.items() if name in _KEPT}
    left["contexts"] = {name: value for name, value in left.get("contexts", {}).items() if name in _CONTEXTS}
    # By its type: two of one type in a chain are told in the words of the last.
    words = {type(link).__name__: fault_words(link) for link in _chain(error)}
    for shown in left.get("exception", {}).get("values", []):
        shown["value"] = words.get(shown.get("type", ""), "").partition(": ")[2]
    cleaned: Event = clean(left)
    return cleaned


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
