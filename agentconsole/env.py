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
    Variable(
        "DATABASE_POOL_MAX", "20", "connections per process, PostgreSQL only; 0: no pool, for a PgBouncer beside it"
    ),
    Variable("REDIS_URL", "", "Redis for live updates, rate limits and (unless CELERY_BROKER_URL) the task queue"),
    Variable(
        "REDIS_PREFIX", "agentconsole", "begins the name of every key, so that several consoles can share one Redis"
    ),
    Variable("CELERY_BROKER_URL", "REDIS_URL, else files in `var/`", "Celery's broker"),
    Variable("DRAIN_S", "20", "seconds that requests under way get when a web process is asked to stop, 1 to 600"),
    Variable("WORKER_DRAIN_S", "30", "seconds that a worker's tasks get when it is asked to stop, 1 to 3600"),
    Variable("WEB_PROCESSES", "1", "how many web processes serve this console; more than one needs REDIS_URL"),
    Variable("LOG_LEVEL", "INFO", "least level that is logged"),
    Variable("LOG_FORMAT", "console in `dev`, json in `prod`", "`console` or `json`"),
    Variable("LOG_FILE", "", "a file that also gets every line, as JSON; `make run` keeps one each for web and worker"),
    Variable(
        "METRICS_TOKEN",
        "",
        "who sends it as Bearer may read `/metrics`; without it, in `dev`, direct calls from this machine",
    ),
    Variable(
        "PROMETHEUS_MULTIPROC_DIR",
        "",
        "folder in which the processes of one machine add up their metrics; `make run` keeps one in `var/`",
    ),
    Variable(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "",
        "collector that gets the console's own traces by OTLP/HTTP; OpenTelemetry's other variables hold, too",
    ),
    Variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "", "the same, as the full URL for traces alone"),
    Variable("OTEL_SERVICE_NAME", "agentconsole", "what the console is called in its traces"),
    Variable("SENTRY_DSN", "", "Sentry project that gets the console's own errors"),
    Variable("SENTRY_ENVIRONMENT", "CONSOLE_ENV", "what they are filed under there"),
    Variable("INGEST_RATE", "600", "ingest requests a credential may make in 10 seconds"),
    Variable("LOGIN_RATE", "10", "tries to sign in that one name may make from one address in a minute"),
    Variable("INGEST_MAX_BYTES", "8388608", "largest request body, as sent"),
    Variable("INGEST_MAX_EXPANDED_BYTES", "33554432", "largest request body once decompressed"),
    Variable(
        "OTLP_GRPC_PORT",
        "4317",
        "where `make run` and `manage.py otlp_grpc` take OTLP over gRPC; `off`: `make run` does without; 0 takes a free one",
    ),
    Variable(
        "OTLP_SETTLE_S",
        "10",
        "seconds without news after which a run known from its spans alone has ended with its root",
    ),
    Variable(
        "OTLP_LEASE_S",
        "300",
        "seconds without news that such a run may have before its root came, or while a span is open",
    ),
    Variable("OTLP_SOFT_MS", "0", "milliseconds from which a tool call that came by OTLP is slow; 0: none is"),
    Variable("APPROVAL_MAX_BYTES", "262144", "largest approval request: more than that nobody reads"),
    Variable("AAP_RATE", "600", "approval calls a credential may make in 10 seconds"),
    Variable("AAP_POLLS_MAX", "200", "polls of one credential that may wait at once in a web process"),
    Variable("WEBHOOK_ALLOW_PRIVATE", "off", "for development: receivers on private addresses and plain http"),
    Variable("GRANT_TTL_S", "120", "seconds that a grant opens its tool after the claim, 60 to 300"),
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
