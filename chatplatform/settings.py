"""Settings: one file, everything from the environment; what is malformed fails at start. Tables that no
environment changes are in fixed_settings.py, those of webhooks in event_settings.py.

Every variable is listed in docs/settings.md.
"""

import hashlib
import hmac
from datetime import timedelta
from pathlib import Path

import dj_database_url
import dj_email_url
from django.core.exceptions import ImproperlyConfigured
from environs import Env
from marshmallow.validate import OneOf, Range

from .event_settings import (  # noqa: F401
    EVENT_REPLAY_DAYS,
    STREAMS_PER_CALLER,
    STREAMS_PER_CLIENT,
    WEBHOOK_ALLOW_PRIVATE,
    WEBHOOK_DISABLE_DAYS,
    WEBHOOK_RETRY_DELAYS,
    WEBHOOK_TIMEOUT,
)  # fmt: skip
from .fixed_settings import CORS_ALLOW_HEADERS, REST_FRAMEWORK, SPECTACULAR_SETTINGS, UNFOLD  # noqa: F401
from .origins import cookie_name, limits_among, origins, redis_address, web_address
from .secret_key import embedded_key

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.str("DATA_DIR", "") or BASE_DIR / "data").resolve()

DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "") or embedded_key(DATA_DIR)
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", [])  # former ones, still good for reading
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["*"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "corsheaders",
    "axes",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_tasks",
    "django_tasks_db",
    "chatplatform",
    "chatplatform.worker",
    "clients",
    "conversations",
    "messaging",
    "analytics",
]

# Short on purpose: every call of every dialect passes through it. What is named Admin… lets
# everything but the admin's pages by.
MIDDLEWARE = [
    "chatplatform.middleware.RequestGuard",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "chatplatform.middleware.Cors",
    "chatplatform.middleware.AdminSession",
    "chatplatform.middleware.AdminLocale",
    "chatplatform.middleware.AdminCsrf",
    "chatplatform.middleware.AdminAuthentication",
    "chatplatform.middleware.AdminMessages",
    "chatplatform.middleware.AdminFrames",
    "chatplatform.middleware.AdminAxes",
]

ROOT_URLCONF = "chatplatform.urls"
WSGI_APPLICATION = "chatplatform.wsgi.application"
APPEND_SLASH = False
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

# --- database ---------------------------------------------------------------------------------

WEB_THREADS = env.int("WEB_THREADS", 4, validate=Range(min=1, max=64))
WEB_WORKERS = env.int("WEB_WORKERS", 0, validate=Range(min=0, max=256))  # 0: as many as cores

DATABASES = {"default": dj_database_url.parse(env.str("DATABASE_URL", "") or f"sqlite:///{DATA_DIR}/db.sqlite3")}
_db = DATABASES["default"]
if _db["ENGINE"] == "django.db.backends.postgresql":
    _db["CONN_MAX_AGE"] = 0  # the pool keeps the connections
    _db["CONN_HEALTH_CHECKS"] = False  # ours costs no round trip
    _db["ENGINE"] = "chatplatform.db.postgresql"
    _db["OPTIONS"] = {
        **_db.get("OPTIONS", {}),
        "pool": {
            "min_size": 1,
            "max_size": WEB_THREADS + 2,
            "timeout": 5,
            "reconnect_timeout": 60,
        },
        "server_side_binding": True,
        "prepare_threshold": 3,
        "connect_timeout": 5,
        "options": "-c synchronous_commit=on -c statement_timeout=30s -c lock_timeout=10s"
        " -c idle_in_transaction_session_timeout=60s -c timezone=UTC -c max_parallel_workers_per_gather=0",
    }
elif _db["ENGINE"] == "django.db.backends.sqlite3":
    _db["ENGINE"] = "chatplatform.db.sqlite3"
    _db["CONN_MAX_AGE"] = None
    _db["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # FULL: what was acknowledged survives a power cut. secure_delete: erased text leaves no trace.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
        " PRAGMA cache_size=-32000; PRAGMA temp_store=MEMORY",
    }
    _db["TEST"] = {"NAME": DATA_DIR / "test.sqlite3"}  # a file, so that server processes can share it
    DATA_DIR.mkdir(parents=True, exist_ok=True)
TASKS = {"default": {"BACKEND": "chatplatform.worker.backend.Backend"}}
WORKER = env.bool("WORKER", True)  # whether `manage.py serve` runs a worker beside the server
WORKER_THREADS = env.int("WORKER_THREADS", 2, validate=Range(min=1, max=32))  # tasks that one worker runs at a time
# Seconds after which what a killed worker had begun is taken over.
WORKER_LEASE = env.int("WORKER_LEASE", 40, validate=Range(min=2, max=50))
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- people and credentials -------------------------------------------------------------------

HTTPS = env.bool("HTTPS", False)  # true behind a proxy that ends TLS

AUTH_USER_MODEL = "clients.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "clients.backends.RoleBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "email", "name")},
    },
]
PASSWORD_HASHERS = env.list("PASSWORD_HASHERS", ["django.contrib.auth.hashers.PBKDF2PasswordHasher"])
PASSWORD_MAX_LENGTH = 1024
# Links for a new password: seconds that one is good, between two mails to one person, and so on (docs/settings.md).
PASSWORD_RESET_TIMEOUT = env.int("PASSWORD_RESET_SECONDS", 86400, validate=Range(min=60))
PASSWORD_RESET_PAUSE = env.int("PASSWORD_RESET_PAUSE", 60, validate=Range(min=0))
PASSWORD_RESET_URL = env.str("PASSWORD_RESET_URL", "", validate=web_address)
LOGIN_URL = "admin:login"

# JWT: a key of its own, so that it can be changed without ending the admin's sessions.
JWT_SIGNING_KEY = (
    env.str("JWT_SIGNING_KEY", "") or hmac.new(SECRET_KEY.encode(), b"chatplatform jwt", hashlib.sha256).hexdigest()
)
ACCESS_TOKEN_LIFETIME = timedelta(seconds=env.int("ACCESS_TOKEN_SECONDS", 8 * 3600))
REFRESH_TOKEN_LIFETIME = timedelta(seconds=env.int("REFRESH_TOKEN_SECONDS", 30 * 86400))
# How long a process may go on believing what it knows of a credential (accounts.md allows 60 s).
CREDENTIAL_CACHE_SECONDS = env.int("CREDENTIAL_CACHE_SECONDS", 30, validate=Range(min=0, max=60))

# The cookies of a browser program's log-in. Where its pages are on another site than this server,
# browsers send them only with SameSite=None, and take that only with Secure.
ACCESS_COOKIE = env.str("ACCESS_COOKIE", "chat_access", validate=cookie_name)
REFRESH_COOKIE = env.str("REFRESH_COOKIE", "chat_refresh", validate=cookie_name)
COOKIE_SAMESITE = env.str("COOKIE_SAMESITE", "Lax", validate=OneOf(["Strict", "Lax", "None"]))
COOKIE_SECURE = env.bool("COOKIE_SECURE", HTTPS or COOKIE_SAMESITE == "None")
COOKIE_DOMAIN = env.str("COOKIE_DOMAIN", "") or None
if COOKIE_SAMESITE == "None" and not COOKIE_SECURE:
    raise ImproperlyConfigured("COOKIE_SAMESITE=None needs COOKIE_SECURE=1: browsers drop such a cookie otherwise")

# Five failures of one name at one address lock that pair for 15 minutes (accounts.md).
AXES_FAILURE_LIMIT = env.int("LOGIN_FAILURE_LIMIT", 5)
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
AXES_USERNAME_CALLABLE = "clients.backends.attempted_name"
AXES_CLIENT_IP_CALLABLE = "chatplatform.middleware.client_address"
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", 0)  # how many proxies of ours add to X-Forwarded-For

# --- the dialects -----------------------------------------------------------------------------

BODY_LIMIT = 1024 * 1024  # bytes of a JSON body
MESSAGE_WINDOW = env.int("MESSAGE_WINDOW", 10_000)  # newest messages of a conversation that are served
PARTICIPANT_LIMIT = env.int("PARTICIPANT_LIMIT", 100)
# Days after which `apply_retention` removes something; 0 keeps it for ever.
_CENTURY = 36_525
RETENTION_CLOSED_DAYS = env.int("RETENTION_CLOSED_DAYS", 730, validate=Range(min=0, max=_CENTURY))
RETENTION_DELETED_DAYS = env.int("RETENTION_DELETED_DAYS", 730, validate=Range(min=0, max=_CENTURY))
RETENTION_MEDIA_DAYS = env.int("RETENTION_MEDIA_DAYS", 365, validate=Range(min=0, max=_CENTURY))
RETENTION_WEBHOOK_DAYS = env.int("RETENTION_WEBHOOK_DAYS", 30, validate=Range(min=0, max=_CENTURY))
RETENTION_EVENT_DAYS = env.int("RETENTION_EVENT_DAYS", 30, validate=Range(min=0, max=_CENTURY))
# Calls a minute (docs/rate-limits.md): of a token by class, of a user, of a `whatsapp` session; an address's guesses.
RATE_LIMITS = {"conversations": 1000, "messages": 500, "uploads": 100, "users": 600, "sessions": 1000, "guesses": 30}
RATE_LIMITS |= env.dict("RATE_LIMITS", {}, subcast_values=int, validate=limits_among(RATE_LIMITS))
RATE_LIMITS["password_mails"] = env.int("PASSWORD_RESET_PER_MINUTE", 10, validate=Range(min=1))
REDIS_URL = env.str("REDIS_URL", "", validate=redis_address)  # calls are counted there instead of in the database
# `whatsapp`: how long its call may wait for the database (seconds), and its optional API token.
WHATSAPP_DEADLINE = env.float("WHATSAPP_DEADLINE", 10.0)
WHATSAPP_REQUIRES_TOKEN = env.bool("WHATSAPP_REQUIRES_TOKEN", False)

CORS_ALLOWED_ORIGINS: list[str] = env.list("CORS_ALLOWED_ORIGINS", [], validate=origins)
CORS_ALLOW_CREDENTIALS = True
CORS_EXPOSE_HEADERS = ["X-Request-Id", "Retry-After", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"]
CORS_URLS_REGEX = r"^/(?!admin)"

# --- pages, files, time -----------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español"), ("id", "Bahasa Indonesia"), ("pt", "Português")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["chatplatform.formats"]
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
# Files of messages: in DATA_DIR/files, or in S3 (docs/uploads.md).
MEDIA_ROOT = DATA_DIR / "files"
UPLOAD_LIMIT = env.int("UPLOAD_LIMIT", 104_857_600, validate=Range(min=1, max=5 * 1024**3))  # bytes
S3_BUCKET = env.str("S3_BUCKET", "")
_s3 = {
    "bucket_name": S3_BUCKET,
    "endpoint_url": env.str("S3_ENDPOINT_URL", "") or None,
    "region_name": env.str("S3_REGION", "") or None,
    "access_key": env.str("S3_ACCESS_KEY_ID", "") or None,
    "secret_key": env.str("S3_SECRET_ACCESS_KEY", "") or None,
    "addressing_style": env.str("S3_ADDRESSING", "auto", validate=OneOf(["auto", "path", "virtual"])),
}
if _s3["endpoint_url"] and not S3_BUCKET:
    raise ImproperlyConfigured("S3_ENDPOINT_URL is set and S3_BUCKET is not: files would go to the local disk")
STORAGES = {
    "default": {"BACKEND": "messaging.files.s3.S3Store", "OPTIONS": _s3}
    if S3_BUCKET
    else {"BACKEND": "messaging.files.disk.DiskStore"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- mail -------------------------------------------------------------------------------------

# submission://user:password@host:587; without one, mails are written to the server's output.
_mail = dj_email_url.parse(env.str("EMAIL_URL", "") or "console:")
if not _mail.get("EMAIL_BACKEND"):
    raise ImproperlyConfigured("EMAIL_URL has an unknown scheme; known are submission, smtp, console and file")
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
EMAIL_HOST, EMAIL_PORT = _mail["EMAIL_HOST"] or "localhost", _mail["EMAIL_PORT"] or 25
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_USER"] or "", _mail["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.get("EMAIL_USE_TLS", False), _mail.get("EMAIL_USE_SSL", False)
EMAIL_FILE_PATH = _mail["EMAIL_FILE_PATH"] or None
EMAIL_TIMEOUT = _mail.get("EMAIL_TIMEOUT") or 10  # seconds
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Chat Platform <no-reply@localhost>")
# Where this server is reached; links in mails begin with it, whatever Host a request names.
PUBLIC_URL = env.str("PUBLIC_URL", "http://127.0.0.1:8000", validate=web_address).rstrip("/")
# Addresses of files begin with it; where nobody says where this server is reached, with the request's host.
FILES_URL = "" if env.bool("FILES_OF_HOST", False) else env.str("PUBLIC_URL", "").rstrip("/")

# --- safety -----------------------------------------------------------------------------------

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = False  # the proxy's work; a redirect would lose a request's body
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", 0)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS and TRUSTED_PROXIES else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "chatplatform.requestid.RequestIdFilter"},
        "terse": {"()": "chatplatform.requestid.TerseSecurity"},
    },
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request_id", "terse"]}
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    # 4xx answers are the caller's affair; our own 5xx are logged once, with their reference, in dialects/base.py.
    "loggers": {"django.request": {"level": "CRITICAL"}, "axes": {"level": "ERROR"}},
}

SILENCED_SYSTEM_CHECKS = ["axes.W002"]  # its middleware is here, as AdminAxes
