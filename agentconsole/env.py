"""The console's variables, read once: each name, its default and what it is for. README's table is held to this list."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import environ

from agentconsole.protocol.redaction import register

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_FILE_BYTES = 64 * 1024


class ConsoleEnv(environ.Env):  # type: ignore[misc]  # django-environ has no types
    """django-environ, and how a secret is read. What is wrong with one is in `problems`, which the check console.E011 tells."""

    def __init__(self) -> None:
        super().__init__()
        self.problems: list[str] = []

    def secret(self, name: str, default: str = "") -> str:
        """The secret of a variable, or of the file that `<name>_FILE` names; one of the two. Redaction knows it from then on."""
        value: str = self.str(name, default="")
        path: str = self.str(f"{name}_FILE", default="")
        if value and path:
            self.problems.append(f"{name} and {name}_FILE are both set. Keep one of them.")
        elif path:
            value = self._content(path, f"{name}_FILE")
        for secret in (value, password_in(value)):
            register(secret)
        return value or default

    def is_given(self, name: str) -> bool:
        """Whether a variable, or the file in its place, is set to anything."""
        return any(self.str(given, default="") for given in (name, f"{name}_FILE"))

    def _content(self, path: str, variable: str) -> str:
        try:
            with Path(path).open("rb") as file:
                content = file.read(SECRET_FILE_BYTES + 1)
            if len(content) <= SECRET_FILE_BYTES and (text := content.decode().strip()):
                return text
            self.problems.append(f"{variable} names a file that is {'too long' if content else 'empty'}.")
        except UnicodeDecodeError:
            self.problems.append(f"{variable} names a file that is no text.")
        except OSError as error:
            self.problems.append(f"{variable} names a file that can't be read: {error.strerror}.")
        return ""


def password_in(url: str) -> str:
    """The password of a URL, as it is sent; nothing where there is none."""
    try:
        return unquote(urlsplit(url).password or "")
    except ValueError:
        return ""


env = ConsoleEnv()


@dataclass(frozen=True, slots=True)
class Variable:
    """One setting that a deployment may give. A secret may be in the file that `<name>_FILE` names; a default for laptops does not start in `prod`."""

    name: str
    default: str
    meaning: str
    is_secret: bool = False
    is_for_laptops: bool = False


VARIABLES = (
    Variable("CONSOLE_ENV", "dev", "`dev` or `prod`: `prod` refuses development defaults and logs JSON"),
    Variable(
        "SECRET_KEY",
        "made once, kept in `var/`",
        "signs sessions; required in `prod`",
        is_secret=True,
        is_for_laptops=True,
    ),
    Variable("CREDENTIAL_KEY", "derived from SECRET_KEY", "keys the hashes of instance credentials", is_secret=True),
    Variable(
        "ALLOWED_HOSTS",
        "localhost,127.0.0.1,[::1]",
        "host names that the console answers to, comma separated",
        is_for_laptops=True,
    ),
    Variable("CSRF_TRUSTED_ORIGINS", "", "origins (`https://…`) behind a TLS proxy, comma separated"),
    Variable("BEHIND_TLS_PROXY", "off", "trust `X-Forwarded-Proto`; cookies become secure"),
    Variable(
        "CONSOLE_URL",
        "http://127.0.0.1:8000",
        "where agents and the bundled doctor reach the console",
        is_for_laptops=True,
    ),
    Variable("CONSOLE_VAR", "var", "folder of the embedded database, queue, keys and logs"),
    Variable("DATABASE_URL", "SQLite in `var/`", "`postgres://user:password@host/name` for PostgreSQL", is_secret=True),
    Variable(
        "DATABASE_POOL_MAX", "20", "connections per process, PostgreSQL only; 0: no pool, for a PgBouncer beside it"
    ),
    Variable(
        "REDIS_URL",
        "",
        "Redis for live updates, rate limits and (unless CELERY_BROKER_URL) the task queue",
        is_secret=True,
    ),
    Variable(
        "REDIS_PREFIX", "agentconsole", "begins the name of every key, so that several consoles can share one Redis"
    ),
    Variable("CELERY_BROKER_URL", "REDIS_URL, else files in `var/`", "Celery's broker", is_secret=True),
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
        is_secret=True,
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
    Variable("SENTRY_DSN", "", "Sentry project that gets the console's own errors", is_secret=True),
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
        is_secret=True,
    ),
    Variable(
        "OPENAI_BASE_URL", "", "an OpenAI-compatible endpoint that writes the doctor's summary; rules write it without"
    ),
    Variable("OPENAI_API_KEY", "", "its key", is_secret=True),
    Variable("OPENAI_MODEL", "gpt-4.1-mini", "its model"),
)
