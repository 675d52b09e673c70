"""Django's settings for the portal folder that PASI_PORTAL_DIR names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF

from pasi_vision.portal.folder import PortalFolder

_folder = PortalFolder.current()
_portal = _folder.settings()
_address = urlsplit(_portal.public_url)
_here = Path(__file__).parent
_secure = _portal.tls != "none"

SECRET_KEY = _folder.secret("secret_key")
DEBUG = False
ALLOWED_HOSTS = sorted({_address.hostname or "127.0.0.1", "127.0.0.1", "localhost"})
CSRF_TRUSTED_ORIGINS = [_portal.public_url] if _secure else []
ROOT_URLCONF = "pasi_vision.portal.urls"
WSGI_APPLICATION = "pasi_vision.portal.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "portal.Person"
LANGUAGE_CODE, USE_I18N, USE_TZ, TIME_ZONE = "en", False, True, "UTC"

INSTALLED_APPS = [
    "pasi_vision.portal.apps.PortalApp",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "csp",
    "django_htmx",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "pasi_vision.portal.middleware.SessionLimits",
    "pasi_vision.portal.middleware.FirstSteps",
    "pasi_vision.portal.middleware.PlainErrors",
    "axes.middleware.AxesMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [_here / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "pasi_vision.portal.navigation.navigation",
            ]
        },
    }
]


def _database() -> dict[str, Any]:
    url = os.environ.get("DATABASE_URL", "")
    if url:
        named = environ.Env.db_url_config(url)
        # Many threads share few connections: a request that waits for a photograph's bytes or check holds none.
        pool = {"min_size": 1, "max_size": 32, "timeout": 30, "max_idle": 60}
        # Health checks: after the database was away, no request gets one of the pool's dead connections.
        options = {**named.get("OPTIONS", {}), "pool": pool}
        return {**named, "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True, "OPTIONS": options}
    return {
        "ENGINE": "pasi_vision.portal.sqlite",
        "NAME": str(_folder.database_file),
        "CONN_MAX_AGE": 60,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            # FULL: what was acknowledged survives a power cut, not only a killed process. Each thread has a cache: half a megabyte.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-500;",
        },
    }


def _snapshot(database: dict[str, Any]) -> dict[str, Any]:
    """A second connection that reads the database as it was at one moment, for backups and verification."""
    options = dict(database.get("OPTIONS", {}))
    if "sqlite" in database["ENGINE"]:
        options["transaction_mode"] = "DEFERRED"
    else:
        from psycopg import IsolationLevel

        options.pop("pool", None)
        options["isolation_level"] = IsolationLevel.REPEATABLE_READ
    return {**database, "OPTIONS": options, "CONN_MAX_AGE": 0}


DATABASES = {"default": _database()}
DATABASES["snapshot"] = _snapshot(DATABASES["default"])
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}


def _s3_config() -> Any:
    """Plain paths and no checksum trailers: what stores other than Amazon's own understand too."""
    from botocore.config import Config

    return Config(
        s3={"addressing_style": "path"},
        signature_version="s3v4",
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )


STATIC_URL = "/static/"
STATIC_ROOT = None
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
_vault: dict[str, Any] = (
    {"BACKEND": "pasi_vision.portal.vault.WholeFileStorage", "OPTIONS": {"location": str(_folder.vault)}}
    if _portal.storage == "files"
    else {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": _portal.s3_bucket,
            "endpoint_url": _portal.s3_endpoint,
            "region_name": _portal.s3_region,
            "file_overwrite": True,
            "default_acl": "private",
            "client_config": _s3_config(),
        },
    }
)
STORAGES = {
    "default": _vault,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
LOGIN_URL, LOGIN_REDIRECT_URL = "account_login", "home"
ACCOUNT_ADAPTER = "pasi_vision.portal.accounts.PortalAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_RATE_LIMITS = {"login_failed": False}  # django-axes counts failures, in the database and for all processes
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "pasi-vision portal"
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = ["username"]
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_CALLABLE = "pasi_vision.portal.accounts.name_for_lock"
AXES_DISABLE_ACCESS_LOG = True  # the audit trail is the record of who signed in
AXES_LOCKOUT_TEMPLATE = "portal/locked_out.html"
AXES_IPWARE_META_PRECEDENCE_ORDER = (
    ("HTTP_X_FORWARDED_FOR", "REMOTE_ADDR") if _portal.tls == "proxy" else ("REMOTE_ADDR",)
)
AXES_VERBOSE = False

SESSION_COOKIE_NAME = "__Host-portal" if _secure else "portal_session"
CSRF_COOKIE_NAME = "__Host-csrf" if _secure else "portal_csrf"
SESSION_COOKIE_AGE = _portal.longest_session_hours * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = _secure
SECURE_HSTS_SECONDS = 31_536_000 if _secure else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
if _portal.tls == "proxy":
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024  # forms; photographs arrive as streams
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"pasi_vision.portal": {"level": "INFO"}, "axes": {"level": "ERROR"}},
}
SILENCED_SYSTEM_CHECKS = [
    "account.W001",
    # Wrong passwords lock the account whatever address they come from: an address is cheap to change.
    "axes.W006",
    # HSTS for sub-domains and the preload list are the site's decision about its own domain, not ours.
    "security.W005",
    "security.W021",
    *([] if _secure else ["security.W004", "security.W008", "security.W012", "security.W016"]),  # loopback only
]
