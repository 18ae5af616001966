"""System checks: a combination of settings that can't work stops the process, with an id and a hint."""

import os
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from agentconsole.redis_url import wrong_with

_LAPTOP_HINTS = {
    "SECRET_KEY": "Set SECRET_KEY, or SECRET_KEY_FILE, to 50 or more random characters, the same in every process.",
    "ALLOWED_HOSTS": "Set ALLOWED_HOSTS to the names that browsers and agents call, comma separated.",
    "CONSOLE_URL": "Set CONSOLE_URL to the address that browsers and agents reach: links, grants and the doctor use it.",
}


@register(Tags.security)
def check_secrets(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """console.E001: production runs on nothing that is meant for a laptop. console.E011: each secret is in one place, and can be read."""
    found: list[CheckMessage] = []
    if settings.IS_PROD:
        found = [
            Error(f"CONSOLE_ENV=prod without {name}.", hint=_LAPTOP_HINTS[name], id="console.E001")
            for name in settings.LAPTOP_DEFAULTS
        ]
    hint = "Set the variable, or name in its _FILE variable a file that this user can read."
    return found + [Error(problem, hint=hint, id="console.E011") for problem in settings.SECRET_PROBLEMS]


@register(Tags.compatibility)
def check_shape(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """console.E002, E003, E004: what the processes share can be shared."""
    found: list[CheckMessage] = []
    if settings.CONSOLE_ENV not in ("dev", "prod"):
        found.append(
            Error(
                f"CONSOLE_ENV={settings.CONSOLE_ENV} is neither dev nor prod.",
                hint="Set one of the two.",
                id="console.E002",
            )
        )
    if settings.WEB_PROCESSES > 1 and not settings.REDIS_URL:
        hint = "Set REDIS_URL, or run one web process: the in-memory channel layer can't leave its process."
        found.append(Error("Several web processes without Redis.", hint=hint, id="console.E003"))
    engine = settings.DATABASES["default"]["ENGINE"]
    if engine not in ("django.db.backends.sqlite3", "django.db.backends.postgresql"):
        hint = "Use PostgreSQL (postgres://…), or set nothing for SQLite."
        found.append(
            Error(f"DATABASE_URL names {engine}, which the console does not support.", hint=hint, id="console.E004")
        )
    return found


@register(Tags.files)
def check_folder(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """console.E005: the console's folder is there, or can be made, and can be written."""
    hint = "Set CONSOLE_VAR to a folder that this user may write: queue, schedule, logs and the embedded database are there."
    try:
        settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return [Error(f"{settings.VAR_DIR} can't be made: {error.strerror}.", hint=hint, id="console.E005")]
    if not os.access(settings.VAR_DIR, os.W_OK):
        return [Error(f"{settings.VAR_DIR} can't be written.", hint=hint, id="console.E005")]
    return []


@register(Tags.security)
def check_grants(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """console.E006: a grant opens its tool for long enough to be carried there, and no longer than a person would expect."""
    if 60 <= settings.GRANT_TTL_S <= 300:  # noqa: PLR2004  seconds
        return []
    hint = "Set GRANT_TTL_S to 60 to 300 seconds, or leave it out."
    return [Error(f"GRANT_TTL_S={settings.GRANT_TTL_S} is out of bounds.", hint=hint, id="console.E006")]


@register(Tags.compatibility)
def check_telemetry(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """console.E007: what sends traces or errors is installed where they are asked for."""
    wanted = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "opentelemetry.exporter.otlp.proto.http",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "opentelemetry.exporter.otlp.proto.http",
        "SENTRY_DSN": "sentry_sdk",
    }
    hint = "pip install -r requirements-telemetry.txt, or leave the variable out."
    return [
        Error(f"{variable} is set, and {package} is not installed.", hint=hint, id="console.E007")
        for variable, package in wanted.items()
        if getattr(settings, variable) and not _is_installed(package)
    ]


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # of a parent
        return False


@register(Tags.caches)
def check_redis(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """console.E008: REDIS_URL is one that channel layer, cache and broker can all use."""
    wrong = wrong_with(settings.REDIS_URL) if settings.REDIS_URL else ""
    hint = "Use redis://user:password@host:6379/0, or rediss:// with TLS; for Sentinel see docs/operations.md."
    return [Error(f"REDIS_URL {wrong}.", hint=hint, id="console.E008")] if wrong else []


@register(Tags.compatibility)
def check_deadlines(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """console.E009: a process that is asked to stop gives its work some time, and no platform waits for ever."""
    found: list[CheckMessage] = []
    for name, seconds, most_s in (
        ("DRAIN_S", settings.DRAIN_S, 600),
        ("WORKER_DRAIN_S", settings.WORKER_DRAIN_S, 3600),
    ):
        if not 1 <= seconds <= most_s:
            hint = f"Set {name} to 1 to {most_s} seconds, or leave it out."
            found.append(Error(f"{name}={seconds} is out of bounds.", hint=hint, id="console.E009"))
    return found
