"""The console's variables, read once: each name, its default and what it is for. README's table is held to this list."""

from dataclasses import dataclass
from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()


@dataclass(frozen=True, slots=True)
class Variable:
    """One setting that a deployment may give."""

    name: str
    default: str
    meaning: str


VARIABLES = (
    Variable("CONSOLE_ENV", "dev", "`dev` or `prod`: `prod` refuses development defaults and logs JSON"),
    Variable("SECRET_KEY", "made once, kept in `var/`", "signs sessions; required in `prod`"),
    Variable("CREDENTIAL_KEY", "derived from SECRET_KEY", "keys the hashes of instance credentials"),
    Variable("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]", "host names that the console answers to, comma separated"),
    Variable("CSRF_TRUSTED_ORIGINS", "", "origins (`https://…`) behind a TLS proxy, comma separated"),
    Variable("BEHIND_TLS_PROXY", "off", "trust `X-Forwarded-Proto`; cookies become secure"),
    Variable("CONSOLE_URL", "http://127.0.0.1:8000", "where agents and the bundled doctor reach the console"),
    Variable("CONSOLE_VAR", "var", "folder of the embedded database, queue, keys and logs"),
    Variable("DATABASE_URL", "SQLite in `var/`", "`postgres://user:password@host/name` for PostgreSQL"),
    Variable("DATABASE_POOL_MAX", "20", "connections per process, PostgreSQL only"),
    Variable("REDIS_URL", "", "Redis for live updates, rate limits and (unless CELERY_BROKER_URL) the task queue"),
    Variable("CELERY_BROKER_URL", "REDIS_URL, else files in `var/`", "Celery's broker"),
    Variable("WEB_PROCESSES", "1", "how many web processes serve this console; more than one needs REDIS_URL"),
    Variable("LOG_LEVEL", "INFO", "least level that is logged"),
    Variable("LOG_FORMAT", "console in `dev`, json in `prod`", "`console` or `json`"),
    Variable("LOG_FILE", "", "a file that also gets every line, as JSON; `make run` keeps one each for web and worker"),
    Variable("INGEST_RATE", "600", "ingest requests a credential may make in 10 seconds"),
    Variable("LOGIN_RATE", "10", "tries to sign in that one name may make from one address in a minute"),
    Variable("INGEST_MAX_BYTES", "8388608", "largest request body, as sent"),
    Variable("INGEST_MAX_EXPANDED_BYTES", "33554432", "largest request body once decompressed"),
    Variable(
        "RETENTION_DAYS",
        "30",
        "how long finished runs are kept where an environment says nothing else; 0 keeps them for ever",
    ),
    Variable("DOCTOR_ENABLED", "on", "schedule the bundled agent"),
    Variable("DOCTOR_EVERY_S", "300", "seconds between its scheduled runs"),
    Variable(
        "DOCTOR_TOKEN",
        "made once, kept in `var/`",
        "the bundled agent's credential; needed where web and worker share no folder",
    ),
    Variable(
        "OPENAI_BASE_URL", "", "an OpenAI-compatible endpoint that writes the doctor's summary; rules write it without"
    ),
    Variable("OPENAI_API_KEY", "", "its key"),
    Variable("OPENAI_MODEL", "gpt-4.1-mini", "its model"),
)
