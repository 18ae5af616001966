"""Settings. The shape (embedded or distributed) follows from the variables alone; `env.VARIABLES` documents each."""

from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF

from agentconsole.env import BASE_DIR, env
from agentconsole.keys import derived_key, kept_secret
from agentconsole.logconf import logging_config

CONSOLE_ENV = env.str("CONSOLE_ENV", default="dev")
IS_PROD = CONSOLE_ENV == "prod"
VAR_DIR = Path(env.str("CONSOLE_VAR", default=str(BASE_DIR / "var"))).resolve()
CONSOLE_URL = env.str("CONSOLE_URL", default="http://127.0.0.1:8000").rstrip("/")
WEB_PROCESSES = env.int("WEB_PROCESSES", default=1)

# In `prod` an empty key fails the check console.E001 before anything listens; a laptop makes its own once.
SECRET_KEY = env.str("SECRET_KEY", default="") or ("" if IS_PROD else kept_secret(VAR_DIR / "secret_key"))
HAS_SECRET_KEY = bool(SECRET_KEY)
CREDENTIAL_KEY = env.str("CREDENTIAL_KEY", default="") or derived_key(SECRET_KEY, "instance credentials")
DEBUG = False

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
BEHIND_TLS_PROXY = env.bool("BEHIND_TLS_PROXY", default=False)

INSTALLED_APPS = [
    "daphne",
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
DATABASE_URL = env.str("DATABASE_URL", default="")
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
    _database["OPTIONS"] = {
        "pool": {"min_size": 1, "max_size": env.int("DATABASE_POOL_MAX", default=20), "timeout": 10}
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Live updates, rate limits, tasks.
REDIS_URL = env.str("REDIS_URL", default="")
CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {
            # The layer waits 5 s at a time for a message; the client's own limit, also 5 s, would cut each wait short.
            "hosts": [{"address": REDIS_URL, "socket_timeout": 15}],
            "prefix": "agentconsole",
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
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "agentconsole",
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}
QUEUE_DIR = VAR_DIR / "queue"
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default=REDIS_URL or "filesystem://localhost")
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = (
    {
        "data_folder_in": str(QUEUE_DIR / "messages"),
        "data_folder_out": str(QUEUE_DIR / "messages"),
        "control_folder": str(QUEUE_DIR / "control"),
        "polling_interval": 0.2,
    }
    if CELERY_BROKER_URL.startswith("filesystem:")
    else {}
)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")

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

# Ingest.
INGEST_RATE = env.int("INGEST_RATE", default=600)
INGEST_MAX_BYTES = env.int("INGEST_MAX_BYTES", default=8 * 1024 * 1024)
INGEST_MAX_EXPANDED_BYTES = env.int("INGEST_MAX_EXPANDED_BYTES", default=32 * 1024 * 1024)
DATA_UPLOAD_MAX_MEMORY_SIZE = INGEST_MAX_BYTES
FILE_UPLOAD_MAX_MEMORY_SIZE = INGEST_MAX_BYTES
RETENTION_DAYS = env.int("RETENTION_DAYS", default=30)

# The bundled agent.
DOCTOR_ENABLED = env.bool("DOCTOR_ENABLED", default=True)
DOCTOR_EVERY_S = env.int("DOCTOR_EVERY_S", default=300)
DOCTOR_TOKEN = env.str("DOCTOR_TOKEN", default="")
OPENAI_BASE_URL = env.str("OPENAI_BASE_URL", default="")
OPENAI_API_KEY = env.str("OPENAI_API_KEY", default="")
OPENAI_MODEL = env.str("OPENAI_MODEL", default="gpt-4.1-mini")

LOG_FORMAT = env.str("LOG_FORMAT", default="json" if IS_PROD else "console")
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO").upper()
LOG_FILE = env.str("LOG_FILE", default="")
LOGGING = logging_config(level=LOG_LEVEL, log_format=LOG_FORMAT, log_file=LOG_FILE)
