"""The one settings file. What a deployment changes comes from the environment; `.env.example` lists it.

Without `DATABASE_URL` the project runs on its embedded PostgreSQL and keeps its own secrets under `var/`;
with it, `SECRET_KEY`, `CHAIN_KEY`, `WEBHOOK_KEY`, `ANCHOR_KEY` and `SECOND_FACTOR_KEY` must be given. What is
missing or cannot be read is refused at the end of this file, by name; what does not fit together, by
`ledger_project.checks`.
"""

import os
import secrets
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import environ

from ledger_project.api import REST_FRAMEWORK as REST_FRAMEWORK
from ledger_project.api import REST_KNOX as REST_KNOX
from ledger_project.database.embedded import EmbeddedPostgres
from ledger_project.environment import Environment, name_process, read_amount, read_whole
from ledger_project.secret_files import keep_first
from office.navigation import UNFOLD as UNFOLD
from rest import log
from rest.document import SPECTACULAR_SETTINGS as SPECTACULAR_SETTINGS

BASE_DIR = Path(__file__).resolve().parent.parent

env = Environment(os.environ)
environ.Env.read_env(BASE_DIR / ".env")

VAR = Path(env.text("LEDGER_VAR") or BASE_DIR / "var").resolve()
DATABASE = env.database("DATABASE_URL")
EMBEDDED_POSTGRES = None if env.find_secret("DATABASE_URL") else EmbeddedPostgres(VAR / "postgres")


def read_secret(name: str) -> str:
    """The secret from the environment; for the embedded database one made on first use and kept in `var/`."""
    if EMBEDDED_POSTGRES is None or env.find_secret(name) is not None:
        return env.secret(name)
    kept = VAR / name.lower()
    try:
        if not kept.exists():
            VAR.mkdir(parents=True, exist_ok=True)
            return keep_first(kept, secrets.token_urlsafe(48))  # several processes may make it at once
        return kept.read_text()
    except OSError as error:
        env.add_unwritable("LEDGER_VAR", error)
        return ""


SECRET_KEY = read_secret("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.secrets("SECRET_KEY_FALLBACKS")
CHAIN_KEY = read_secret("CHAIN_KEY")
CHAIN_KEY_FALLBACKS = env.secrets("CHAIN_KEY_FALLBACKS")
WEBHOOK_KEY = read_secret("WEBHOOK_KEY")
ANCHOR_KEY = read_secret("ANCHOR_KEY")
ANCHOR_PUBLIC_KEYS = env.items("ANCHOR_PUBLIC_KEYS")
SECOND_FACTOR_KEY = read_secret("SECOND_FACTOR_KEY")
SECOND_FACTOR_KEY_FALLBACKS = env.secrets("SECOND_FACTOR_KEY_FALLBACKS")

DEBUG = env.flag("DEBUG", default=False)
ALLOWED_HOSTS = env.items("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.items("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "office.apps.SiteConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "knox",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "axes",
    "django_otp",  # the model of second factors is of accounts
    "office.apps.OfficeConfig",
    "events",
    "accounts",
    "transactions",
    "ledger_project",
]

# Requests of the API go from `RequestMiddleware` to their views; the rest is for pages.
MIDDLEWARE = [
    "rest.middleware.look_after_connections",
    "rest.middleware.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.gzip.GZipMiddleware",  # pages, and static files that nobody has compressed before
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "office.middleware.speak_and_protect",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "office.middleware.keep_own_time",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "ledger_project.urls"
WSGI_APPLICATION = "ledger_project.wsgi.application"
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
            ]
        },
    }
]

# Database. Persistent connections; `look_after_connections` takes care of ended ones. Prepared
# statements need both options together. PgBouncer in transaction mode wants DATABASE_PREPARE_THRESHOLD=0
# (off), unless it has max_prepared_statements.
DATABASES: dict[str, dict] = {
    "default": DATABASE
    if EMBEDDED_POSTGRES is None
    else {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "ledger",
        "USER": "postgres",
        "HOST": str(EMBEDDED_POSTGRES.socket_folder),
    }
}
# As the owner of the tables, and past a pooler; without it the service's own.
MIGRATION_DATABASE = env.database("MIGRATION_DATABASE_URL")
# As the maintenance role: for the audits that the relay begins, so often; 0: never.
AUDIT_EVERY_MINUTES = env.whole("AUDIT_EVERY_MINUTES", default=0, least=0, most=525_600)
AUDIT_DATABASE = env.database("AUDIT_DATABASE_URL")
CONN_MAX_AGE = env.whole("DATABASE_CONN_MAX_AGE", default=600, least=0)
DATABASES["default"] |= {
    "CONN_MAX_AGE": CONN_MAX_AGE,
    "DISABLE_SERVER_SIDE_CURSORS": True,
    "OPTIONS": {
        "fallback_application_name": name_process(sys.argv),  # who it is, in `pg_stat_activity`
        **DATABASES["default"].get("OPTIONS", {}),
        "connect_timeout": 3,
        # A database that fell silent is noticed in seconds (ignored on unix sockets).
        "tcp_user_timeout": 5000,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "server_side_binding": True,
        "prepare_threshold": env.whole("DATABASE_PREPARE_THRESHOLD", default=5, least=0) or None,
    },
}
# The server's workers have many threads, which borrow a connection while they need one: a worker opens this
# many at most, and those that nobody needs are closed again. Elsewhere a thread has its own.
LANE_THREADS = env.whole("LANE_THREADS", default=4)  # of a worker, for other reads, and for other writes
CONN_MAX = env.whole("CONN_MAX", default=14 + 2 * LANE_THREADS)
if env.flag("DATABASE_POOL", default=False):
    DATABASES["default"] |= {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True}
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 0,
        "max_size": CONN_MAX,
        "timeout": 3,
        "num_workers": 1,
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "accounts.passwords.OtherThanBefore"},
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ru", "Русский")]  # of the back office; the API speaks English
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["office.formats"]
TIME_ZONE = "UTC"

STATIC_URL = "static/"
# What collectstatic made: compressed, and kept by browsers for good, since each name has a hash of its file.
# Without it, static files come out of the packages, and are compressed whenever they are asked for.
STATIC_ROOT = env.text("STATIC_ROOT") or None
WHITENOISE_USE_FINDERS = STATIC_ROOT is None
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_MAX_AGE = 0 if DEBUG else 3600  # seconds, of names without a hash
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if STATIC_ROOT is None
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# Security headers: those of TLS, beside Django's own, which forbid sniffing and frames. TLS ends at the proxy
# in front, which says so in X-Forwarded-Proto.
BEHIND_TLS = env.flag("BEHIND_TLS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = BEHIND_TLS
SECURE_HSTS_SECONDS = 31_536_000 if BEHIND_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = BEHIND_TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS else None

# The back office. A session ends half an hour after its last page.
SECOND_FACTOR = env.flag("SECOND_FACTOR", default=not DEBUG)  # staff need an authenticator app
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
LOGIN_REDIRECT_URL = "admin:index"
SESSION_ENGINE = "office.visits.sessions"
SESSION_COOKIE_AGE = env.whole("SESSION_SECONDS", default=1800)
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = LANGUAGE_COOKIE_PATH = "/admin/"  # the API never sees them
AXES_FAILURE_LIMIT = 5  # wrong passwords for one user from one address
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "admin/locked_out.html"
AXES_VERBOSE = False
AXES_CLIENT_IP_CALLABLE = "office.middleware.find_address"
# Corrections of more than this, by currency, wait for a second person; in other currencies all of them do.
APPROVAL_ABOVE = env.pairs(
    "APPROVAL_ABOVE", default={"USD": Decimal(100)}, read=read_amount, example="USD=100,EUR=90.50"
)

# Of the metadata of people: e-mail addresses and phone numbers, by which they are found.
SEARCH_CONTACT_KEYS = env.items("SEARCH_CONTACT_KEYS", default=["email", "phone"])

# The API
ERASED_ID_DAYS = env.whole("ERASED_ID_DAYS", default=730)  # how long an erased external id is known again
REASONS_REQUIRED = env.flag("REASONS_REQUIRED", default=False)  # of limits and releases too
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024  # of any request; the API's own limits are smaller:
API_BODY_BYTES_MAX = 64 * 1024
API_BATCH_BYTES_MAX = 1024 * 1024
KNOX_TOKEN_MODEL = "accounts.Token"  # noqa: S105, the name of a model
MIGRATION_MODULES = {"knox": None}  # its one model is ours
TOKEN_CACHE_SECONDS = 5
# Private, /metrics asks for a token like the API does.
METRICS_PUBLIC = env.flag("METRICS_PUBLIC", default=EMBEDDED_POSTGRES is not None)

# Money
DEFAULT_CURRENCY = env.text("DEFAULT_CURRENCY", default="USD")
# Of ISO 4217, for new accounts: one that is taken out goes on where it is in use; and units, with decimals.
CURRENCIES = env.items("CURRENCIES", default=["USD", "EUR", "GBP", "JPY", "BHD", "RUB"], separators=",;")
CUSTOM_CURRENCIES = env.pairs(
    "CUSTOM_CURRENCIES", default={"POINTS": 0}, read=read_whole, example="POINTS=0,MILES=2"
)

# The server, each of its workers: how much of it anybody can take. docs/operations.md has the reasons.
CONNECTIONS_MAX = env.whole("CONNECTIONS_MAX", default=10_000)
IDLE_SECONDS = env.whole("IDLE_SECONDS", default=75)  # of a connection without a request, or with half of one
BODY_SECONDS = env.number("BODY_SECONDS", default=10.0)  # to send a body in, and one more for so many bytes:
BODY_BYTES_PER_SECOND = env.whole("BODY_BYTES_PER_SECOND", default=32 * 1024)
BODIES_BYTES_MAX = env.whole("BODIES_BYTES_MAX", default=64 * 1024 * 1024)  # of all that are being read
WORKERS = env.whole("WORKERS", default=2)
DRAIN_SECONDS = env.number("DRAIN_SECONDS", default=0.0, can_be_zero=True)  # not ready, before it is stopped
PAYMENTS_MAX = env.whole("PAYMENTS_MAX", default=512)  # at once, and as many hot reads
LONG_POLLS_MAX = env.whole("LONG_POLLS_MAX", default=8)
# Of answers that readers wait for:
LONG_ANSWERS_BYTES_MAX = env.whole("LONG_ANSWERS_BYTES_MAX", default=256 * 1024 * 1024)

# How long a posting waits for others to be committed with, as many as usually come; alone it does not wait.
GATHER_SECONDS = env.number("GATHER_SECONDS", default=0.001, can_be_zero=True)

# Telling others
WEBHOOK_LOOPBACK = env.flag("WEBHOOK_LOOPBACK", default=False)  # may call this machine: tests, development
WEBHOOK_ALLOWED_NETWORKS = env.networks("WEBHOOK_ALLOWED_NETWORKS")  # private ones that they may call
WEBHOOK_ALLOWED_HOSTS = env.items("WEBHOOK_ALLOWED_HOSTS")  # whose private addresses they may call
BROKER_URL = env.brokers("BROKER_URL")
# What a restore or a failover changes: managed servers may hide what tells one cluster from another.
FEED_EPOCH_OF = env.choice("FEED_EPOCH_OF", default="cluster", choices=("cluster", "database"))
BROKER_EXCHANGE = env.text("BROKER_EXCHANGE", default="ledger.events")
# After a relay was killed, another one goes on with its subscriptions when their lease is over.
RELAY_LEASE_SECONDS = env.number("RELAY_LEASE_SECONDS", default=10.0)

# Being watched. The relay's own port, for /livez and what is read from the database; 0: none.
RELAY_METRICS_HOST = env.text("RELAY_METRICS_HOST", default="127.0.0.1")
RELAY_METRICS_PORT = env.whole("RELAY_METRICS_PORT", default=0, least=0)
# Spans for an OpenTelemetry collector, which the OTEL_… variables name.
TRACING = env.flag("TRACING", default=False)
if TRACING and env.has_package("TRACING", "opentelemetry.sdk", "requirements-tracing.txt"):
    MIDDLEWARE.insert(0, "ledger_project.tracing.trace_requests")
COMMIT = env.text("LEDGER_COMMIT", default="unknown")  # of the code, as an image is told when it is made

# Logs: one JSON object per line on stderr.
LOG_LEVEL = env.choice("LOG_LEVEL", default="INFO", choices=log.LEVELS)
LOGGING = log.configure(LOG_LEVEL)

env.refuse()
