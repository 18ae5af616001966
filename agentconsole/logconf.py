"""Logs: one structured line per event, with the request's context, JSON in production and readable in a terminal."""

import logging
from collections.abc import MutableMapping
from typing import Any

import structlog

from agentconsole.protocol.context import current_context
from agentconsole.protocol.redaction import scrub

_NOISY = {
    "daphne.http_protocol": "WARNING",
    "httpx": "WARNING",
    "httpcore": "WARNING",
    "asyncio": "WARNING",
    "kombu": "WARNING",
    # REQUEST_FINISHED says it with the request's id; these are written outside of it, one with a traceback a scanner.
    "django.request": "ERROR",
    "django.security.DisallowedHost": "CRITICAL",
}


def add_request_context(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Structlog processor: the current request's fields, where the line does not name them itself."""
    context = current_context()
    if context is not None:
        for name, value in context.log_fields().items():
            event.setdefault(name, value)
    return event


def redact_line(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Structlog processor: no secret reaches a log line, our own included."""
    scrubbed, _hits = scrub(dict(event))
    return scrubbed if isinstance(scrubbed, dict) else event


def time_first(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Structlog processor: time and token in front, so that `grep -h … *.log | sort` tells a story in its order."""
    return {name: event.pop(name) for name in ("at", "event") if name in event} | dict(event)


_SHARED: list[Any] = [
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    structlog.processors.StackInfoRenderer(),
    add_request_context,
]


# Plain tracebacks: the pretty ones print local variables, secrets among them.
_RENDERING: dict[str, list[Any]] = {
    "json": [
        structlog.processors.format_exc_info,
        redact_line,
        time_first,
        structlog.processors.JSONRenderer(default=str),
    ],
    "console": [
        structlog.processors.format_exc_info,
        redact_line,
        structlog.dev.ConsoleRenderer(
            colors=False, timestamp_key="at", exception_formatter=structlog.dev.plain_traceback
        ),
    ],
}
_FILE_BYTES = 10 * 1024 * 1024
_FILES_KEPT = 3


def logging_config(*, level: str, log_format: str, log_file: str = "") -> dict[str, Any]:
    """A `logging.config` dictionary that sends structlog's and everybody else's lines through the same processors.

    To stderr as `console` or `json`; with `log_file` also there, as JSON, the oldest dropped after 40 MB.
    """
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handlers: dict[str, dict[str, Any]] = {"stderr": {"class": "logging.StreamHandler", "formatter": log_format}}
    if log_file:
        handlers["file"] = {
            "class": "logging.handlers.RotatingFileHandler",
            "formatter": "json",
            "filename": log_file,
            "maxBytes": _FILE_BYTES,
            "backupCount": _FILES_KEPT,
        }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {name: _formatter(rendering) for name, rendering in _RENDERING.items()},
        "handlers": handlers,
        "root": {"handlers": list(handlers), "level": level},
        "loggers": {name: {"level": noisy_level} for name, noisy_level in _NOISY.items()}
        | {"django.server": {"handlers": [], "propagate": True}, "django": {"handlers": [], "propagate": True}},
    }


def _formatter(rendering: list[Any]) -> dict[str, Any]:
    return {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        "foreign_pre_chain": _SHARED,
    }


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module: `log = get_logger(__name__)`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


logging.captureWarnings(capture=True)
