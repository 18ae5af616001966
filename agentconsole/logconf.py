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


_SHARED: list[Any] = [
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    structlog.processors.StackInfoRenderer(),
    add_request_context,
]


def logging_config(*, level: str, log_format: str) -> dict[str, Any]:
    """A `logging.config` dictionary that sends structlog's and everybody else's lines through the same processors."""
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    rendering: list[Any] = (
        [structlog.processors.format_exc_info, redact_line, structlog.processors.JSONRenderer(default=str)]
        if log_format == "json"
        # Plain tracebacks: the pretty ones print local variables, secrets among them.
        else [
            structlog.processors.format_exc_info,
            redact_line,
            structlog.dev.ConsoleRenderer(
                colors=False, timestamp_key="at", exception_formatter=structlog.dev.plain_traceback
            ),
        ]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
                "foreign_pre_chain": _SHARED,
            },
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {name: {"level": noisy_level} for name, noisy_level in _NOISY.items()}
        | {"django.server": {"handlers": [], "propagate": True}, "django": {"handlers": [], "propagate": True}},
    }


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module: `log = get_logger(__name__)`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


logging.captureWarnings(capture=True)
