"""Settings. The shape (embedded or distributed) follows from the variables alone; `env.VARIABLES` documents each."""

import sys
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF

from agentconsole.env import BASE_DIR, VARIABLES, env
from agentconsole.keys import derived_key, kept_secret
from agentconsole.logconf import logging_config
from agentconsole.postgres import connection_options, role_of
from agentconsole.protocol.redaction import register
from agentconsole.redis_url import BROKER_OPTIONS, CACHE_OPTIONS, layer_host, same_for_all, speaks_redis

CONSOLE_ENV = env.str("CONSOLE_ENV", default="dev")
IS_PROD = CONSOLE_ENV == "prod"
VAR_DIR = Path(env.str("CONSOLE_VAR", default=str(BASE_DIR / "var"))).resolve()
CONSOLE_URL = env.str("CONSOLE_URL", default="http://127.0.0.1:8000").rstrip("/")
WEB_PROCESSES = env.int("WEB_PROCESSES", default=1)
DRAIN_S = env.int("DRAIN_S", default=20)
WORKER_DRAIN_S = env.int("WORKER_DRAIN_S", default=30)

# In `prod` what has only a default for laptops fails the check console.E001 before anything listens; a laptop makes its own key once.
LAPTOP_DEFAULTS = [one.name for one in VARIABLES if one.is_for_laptops and not env.is_given(one.name)]
SECRET_PROBLEMS = env.problems
SECRET_KEY = env.secret("SECRET_KEY") or ("" if IS_PROD else kept_secret(VAR_DIR / "secret_key"))
CREDENTIAL_KEY = env.secret("CREDENTIAL_KEY") or derived_key(SECRET_KEY, "instance credentials")
register(CREDENTIAL_KEY)
DEBUG = False

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
BEHIND_TLS_PROXY = env.bool("BEHIND_TLS_PROXY", default=False)

INSTALLED_APPS = [
    "runs.people.PeopleConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "csp",
    "ninja",
    "agentconsole",
    "runs",
    "traces",
    "approvals",
]

MIDDLEWARE = [
    "agentconsole.middleware.RequestContextMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "agentconsole.middleware.ErrorMiddleware",
]

ROOT_URLCONF = "agentconsole.urls"
ASGI_APPLICATION = "agentconsole.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "runs.shell.shell",
                "traces.shell.leaks",
                "approvals.shell.desk",
                "agentconsole.health.shell.health",
            ],
        },
    },
]

# Database. SQLite: one writer at a time that waits its turn (IMMEDIATE), readers never blocked (WAL), and a commit that
# was answered survives a power cut (FULL); measured, FULL costs nothing at a batch's size.
SQLITE_OPTIONS: dict[str, Any] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA foreign_keys=ON;",
}
DATABASE_URL = env.secret("DATABASE_URL")
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url_config(DATABASE_URL)
    if DATABASE_URL
    else {"ENGINE": "django.db.backends.sqlite3", "NAME": VAR_DIR / "console.sqlite3"},
}
_database = DATABASES["default"]
if _database["ENGINE"] == "django.db.backends.sqlite3":
    _database["OPTIONS"] = SQLITE_OPTIONS
    # A file, as in real life: an in-memory database shares one connection over threads and hides every lock.
    _database["TEST"] = {"NAME": VAR_DIR / "test.sqlite3"}
elif _database["ENGINE"] == "django.db.backends.postgresql":
    _database["CONN_MAX_AGE"] = 0
    # A connection from before the database's restart is found out when it is taken from the pool, not by a request.
    _database["CONN_HEALTH_CHECKS"] = True
    _database["OPTIONS"] = connection_options(
        _database.get("OPTIONS", {}), role=role_of(sys.argv), pool_max=env.int("DATABASE_POOL_MAX", default=20)
    )
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Live updates, rate limits, tasks.
REDIS_URL = same_for_all(env.secret("REDIS_URL"))
REDIS_PREFIX = env.str("REDIS_PREFIX", default="agentconsole")
CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {
            "hosts": [layer_host(REDIS_URL)],
            "prefix": REDIS_PREFIX,
            # Hubs renew their membership every 15 s: one that was killed is forgotten soon.
            "group_expiry": 60,
        },
    }
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"},
}
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        # A list: text is split at commas and semicolons, which a password may have.
        "LOCATION": [REDIS_URL],
        "OPTIONS": CACHE_OPTIONS,
        "KEY_PREFIX": REDIS_PREFIX,
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}
QUEUE_DIR = VAR_DIR / "queue"
CELERY_BROKER_URL = same_for_all(env.secret("CELERY_BROKER_URL", default=REDIS_URL or "filesystem://localhost"))
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {}
if CELERY_BROKER_URL.startswith("filesystem:"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(QUEUE_DIR / "messages"),
        "data_folder_out": str(QUEUE_DIR / "messages"),
        "control_folder": str(QUEUE_DIR / "control"),
        "polling_interval": 0.2,
    }
elif speaks_redis(CELERY_BROKER_URL):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        **BROKER_OPTIONS,
        "global_keyprefix": f"{REDIS_PREFIX}:",
        # When Redis gives the messages of a killed worker to another one: later than the longest task (a sweep of retention) takes.
        "visibility_timeout": 900,
    }
# A queue of files is looked into five times a second, and one for remote control would be too: nobody is there to use it.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = not CELERY_BROKER_URL.startswith("filesystem:")
CELERY_TASK_IGNORE_RESULT = True
# A message is done when its task is; every task may run twice. So one that a dying worker had goes to another at once, and
# a worker holds no more than it works on.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Where Celery's timer is a thread, the worker's end waits for its next look at the clock.
CELERY_WORKER_TIMER_PRECISION = 0.25
# While the broker is away a task goes on; that another worker may begin it too does no harm.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # for ever: Celery gives up after 100 otherwise
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"

# People.
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
CSRF_FAILURE_VIEW = "agentconsole.middleware.answer_forged"
LOGIN_RATE = env.int("LOGIN_RATE", default=10)
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS_PROXY
SESSION_COOKIE_AGE = 14 * 24 * 3600

# Browsers.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS_PROXY else None
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 31536000 if BEHIND_TLS_PROXY else 0
# The proxy that ends TLS redirects to it; whether subdomains and browsers' lists join in is its operator's to say.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021"]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    },
}
STATIC_URL = "/static/"
STATIC_ROOT = None  # served from where they are: nothing to collect
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
# Without a hash in its name a file may change under its URL: ask again each time (a 304 is cheap), never serve a stale module.
WHITENOISE_MAX_AGE = 0
WHITENOISE_ALLOW_ALL_ORIGINS = False

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False

# Approvals.
APPROVAL_MAX_BYTES = env.int("APPROVAL_MAX_BYTES", default=256 * 1024)
AAP_RATE = env.int("AAP_RATE", default=600)
AAP_POLLS_MAX = env.int("AAP_POLLS_MAX", default=200)
WEBHOOK_ALLOW_PRIVATE = env.bool("WEBHOOK_ALLOW_PRIVATE", default=False)
GRANT_TTL_S = env.int("GRANT_TTL_S", default=120)

# Ingest.
INGEST_RATE = env.int("INGEST_RATE", default=600)
INGEST_MAX_BYTES = env.int("INGEST_MAX_BYTES", default=8 * 1024 * 1024)
INGEST_MAX_EXPANDED_BYTES = env.int("INGEST_MAX_EXPANDED_BYTES", default=32 * 1024 * 1024)
DATA_UPLOAD_MAX_MEMORY_SIZE = INGEST_MAX_BYTES
FILE_UPLOAD_MAX_MEMORY_SIZE = INGEST_MAX_BYTES
# None: off.
OTLP_GRPC_PORT = (
    None if env.str("OTLP_GRPC_PORT", default="").strip().lower() == "off" else env.int("OTLP_GRPC_PORT", default=4317)
)
# Runs that are known from their spans alone (OTLP).
OTLP_SETTLE_S = env.float("OTLP_SETTLE_S", default=10)
OTLP_LEASE_S = env.float("OTLP_LEASE_S", default=300)
OTLP_SOFT_MS = env.int("OTLP_SOFT_MS", default=0)
RETENTION_DAYS = env.int("RETENTION_DAYS", default=30)

# The bundled agent.
DOCTOR_ENABLED = env.bool("DOCTOR_ENABLED", default=True)
DOCTOR_EVERY_S = env.int("DOCTOR_EVERY_S", default=300)
DOCTOR_TOKEN = env.secret("DOCTOR_TOKEN")
OPENAI_BASE_URL = env.str("OPENAI_BASE_URL", default="")
OPENAI_API_KEY = env.secret("OPENAI_API_KEY")
OPENAI_MODEL = env.str("OPENAI_MODEL", default="gpt-4.1-mini")

# Metrics. Their library reads the folder's variable by itself when it is imported, and takes an empty one for the current folder.
METRICS_TOKEN = env.secret("METRICS_TOKEN")
PROMETHEUS_MULTIPROC_DIR = env.str("PROMETHEUS_MULTIPROC_DIR", default="")
if not PROMETHEUS_MULTIPROC_DIR:
    env.ENVIRON.pop("PROMETHEUS_MULTIPROC_DIR", None)

# Telemetry. OpenTelemetry's SDK reads its other variables by itself.
OTEL_EXPORTER_OTLP_ENDPOINT = env.str("OTEL_EXPORTER_OTLP_ENDPOINT", default="")
OTEL_EXPORTER_OTLP_TRACES_ENDPOINT = env.str("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", default="")
OTEL_SERVICE_NAME = env.str("OTEL_SERVICE_NAME", default="agentconsole")
SENTRY_DSN = env.secret("SENTRY_DSN")
SENTRY_ENVIRONMENT = env.str("SENTRY_ENVIRONMENT", default=CONSOLE_ENV)

LOG_FORMAT = env.str("LOG_FORMAT", default="json" if IS_PROD else "console")
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO").upper()
LOG_FILE = env.str("LOG_FILE", default="")
LOGGING = logging_config(level=LOG_LEVEL, log_format=LOG_FORMAT, log_file=LOG_FILE)
