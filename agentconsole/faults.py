"""An error in words that may be shown to anybody: probes, pages and logs tell what a dependency raised, and never a secret."""

import re
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from django.conf import settings

from agentconsole.protocol.redaction import marker, scrub_text

LONGEST = 200
# Whose messages say what is wrong in words of their own: the rest may quote whatever they were given, so their type has to do.
_TOLD = frozenset({"redis", "psycopg", "psycopg_pool", "sqlite3", "kombu", "amqp", "channels"})
_URL_USER = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30}://)\S*@")
# `password='with blanks'` of a connection string; the shared detectors stop at the first blank.
_QUOTED_PASSWORD = re.compile(r"(?i)((?:password|passwd|pwd)\s{0,4}=\s{0,4})'(?:[^'\\]|\\.)*'?")
_SHORTEST_SECRET = 4


def fault_words(error: BaseException) -> str:
    """The type of an error, and its message where that is safe: without URLs' users, without passwords, in one line of 200 characters.

    The passwords that this process was given are taken out by their exact text, however a driver quotes them.
    """
    kind = type(error).__name__
    message = without_secrets(" ".join(str(error).split())) if _is_told(error) else ""
    return (f"{kind}: {message}" if message else kind)[:LONGEST]


def _is_told(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return True
    modules = {kind.__module__ for kind in type(error).__mro__}
    return "django.db.utils" in modules or any(module.partition(".")[0] in _TOLD for module in modules)


def without_secrets(message: str) -> str:
    """A text without URLs' users, without passwords, and without what this process was given to keep."""
    for secret in _given():
        message = message.replace(secret, marker("configured"))
    # The plain tests first: every text of every exported span passes here, and the patterns try each place of it.
    if "@" in message:
        message = _URL_USER.sub(r"\1", message)
    if "'" in message:
        message = _QUOTED_PASSWORD.sub(rf"\1{marker('field_name')}", message)
    return scrub_text(message)[0]


def _given() -> tuple[str, ...]:
    """Every secret that the settings hold, as written in its URL and as it is sent, the longest first."""
    urls = (settings.DATABASE_URL, settings.REDIS_URL, settings.CELERY_BROKER_URL)
    password = settings.DATABASES["default"].get("PASSWORD") or ""
    tokens = (settings.CREDENTIAL_KEY, settings.METRICS_TOKEN, settings.DOCTOR_TOKEN, settings.OPENAI_API_KEY)
    return _forms(urls, (settings.SECRET_KEY, password, *tokens))


@lru_cache(maxsize=1)
def _forms(urls: tuple[str, ...], secrets: tuple[str, ...]) -> tuple[str, ...]:
    found = [form for secret in (*secrets, *map(_password_in, urls)) for form in (secret, unquote(secret))]
    return tuple(sorted({form for form in found if len(form) >= _SHORTEST_SECRET}, key=len, reverse=True))


def _password_in(url: str) -> str:
    try:
        return urlsplit(url).password or ""
    except ValueError:
        return ""
