"""System checks: a combination of settings that can't work stops the process, with an id and a hint."""

import os
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.security)
def check_secrets(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """console.E001: production has its own SECRET_KEY."""
    # Django's settings object raises on an empty SECRET_KEY, so the settings say themselves whether there is one.
    if settings.IS_PROD and not settings.HAS_SECRET_KEY:
        hint = "Set SECRET_KEY to 50 or more random characters, the same in every process."
        return [Error("CONSOLE_ENV=prod without SECRET_KEY.", hint=hint, id="console.E001")]
    return []


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
