"""Settings: one file, everything from the environment; what is malformed fails at start.

Every variable is listed in docs/settings.md.
"""

import hashlib
import hmac
import os
import secrets
from datetime import timedelta
from pathlib import Path

import dj_database_url
from django.templatetags.static import static
from environs import Env
from marshmallow.validate import Range

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.str("DATA_DIR", "") or BASE_DIR / "data").resolve()


def _embedded_secret() -> str:
    """The installation's key, made once in DATA_DIR (mode 0600) where SECRET_KEY is not set.

    Servers on several machines must be given one and the same SECRET_KEY.
    """
    path = DATA_DIR / "secret_key"
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        key = secrets.token_urlsafe(48)
        file.write(key)
    return key


DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "") or _embedded_secret()
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
    "chatplatform",
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
    "corsheaders.middleware.CorsMiddleware",
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
        " -c idle_in_transaction_session_timeout=60s -c timezone=UTC",
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
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- people and credentials -------------------------------------------------------------------

AUTH_USER_MODEL = "clients.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "clients.backends.RoleBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
PASSWORD_HASHERS = env.list("PASSWORD_HASHERS", ["django.contrib.auth.hashers.PBKDF2PasswordHasher"])
LOGIN_URL = "admin:login"

# JWT: a key of its own, so that it can be changed without ending the admin's sessions.
JWT_SIGNING_KEY = (
    env.str("JWT_SIGNING_KEY", "") or hmac.new(SECRET_KEY.encode(), b"chatplatform jwt", hashlib.sha256).hexdigest()
)
ACCESS_TOKEN_LIFETIME = timedelta(seconds=env.int("ACCESS_TOKEN_SECONDS", 8 * 3600))
REFRESH_TOKEN_LIFETIME = timedelta(seconds=env.int("REFRESH_TOKEN_SECONDS", 30 * 86400))
# How long a process may go on believing what it knows of a credential (accounts.md allows 60 s).
CREDENTIAL_CACHE_SECONDS = env.int("CREDENTIAL_CACHE_SECONDS", 30, validate=Range(min=0, max=60))

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

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["chatplatform.dialects.permissions.DenyByDefault"],
    "UNAUTHENTICATED_USER": None,
}
BODY_LIMIT = 1024 * 1024  # bytes of a JSON body
MESSAGE_WINDOW = env.int("MESSAGE_WINDOW", 10_000)  # newest messages of a conversation that are served
PARTICIPANT_LIMIT = env.int("PARTICIPANT_LIMIT", 100)
# `whatsapp`: how long its call may wait for the database (seconds), and its optional API token.
WHATSAPP_DEADLINE = env.float("WHATSAPP_DEADLINE", 10.0)
WHATSAPP_REQUIRES_TOKEN = env.bool("WHATSAPP_REQUIRES_TOKEN", False)

CORS_ALLOWED_ORIGINS: list[str] = env.list("CORS_ALLOWED_ORIGINS", [])
CORS_ALLOW_CREDENTIALS = True
CORS_ALLOW_HEADERS = [
    "accept", "authorization", "content-type", "idempotency-key", "last-event-id", "x-public-key", "x-request-id",
]  # fmt: skip
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
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
MEDIA_ROOT = DATA_DIR / "files"

# --- safety -----------------------------------------------------------------------------------

HTTPS = env.bool("HTTPS", False)  # true behind a proxy that ends TLS
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

UNFOLD = {
    "SITE_TITLE": "Chat Platform",
    "SITE_HEADER": "Chat Platform",
    "SITE_SYMBOL": "forum",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("chatplatform/favicon.svg")}
    ],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
}
SILENCED_SYSTEM_CHECKS = ["axes.W002"]  # its middleware is here, as AdminAxes
