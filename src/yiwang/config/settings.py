"""Django settings: everything variable comes from the environment (see environment.py)."""

from pathlib import Path
from urllib.parse import parse_qs, unquote, urlparse

from yiwang.kernel.access.contracts import APPLICATION_ROLE

from . import embedded, environment

ENV = environment.read()
BASE_DIR = environment.ROOT

SECRET_KEY = ENV.secret_key
DEBUG = ENV.debug
ALLOWED_HOSTS = list(ENV.hosts)
ROOT_URLCONF = "yiwang.config.urls"
WSGI_APPLICATION = "yiwang.config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_cotton",
    "django_vite",
    "yiwang.kernel.accounts",
    "yiwang.kernel.orgs",
    "yiwang.kernel.access",
    "yiwang.kernel.audit",
    "yiwang.kernel.events",
    "yiwang.kernel.calendar",
    "yiwang.kernel.packs",
    "yiwang.kernel.ledger",
    "yiwang.kernel.registers",
    "yiwang.kernel.files",
    "yiwang.kernel.documents",
    "yiwang.kernel.notify",
    "yiwang.kernel.ui",
    "yiwang.engines.hub",
    "yiwang.engines.cases",
    "yiwang.domains.services",
    "yiwang.domains.collection",
    "yiwang.domains.enterprise",
    "yiwang.domains.policy",
    "yiwang.domains.publicity",
    "yiwang.surfaces.api",
    "yiwang.surfaces.portal",
    "yiwang.surfaces.workbench",
    "allauth",  # after ours, so that our templates go before its own
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.idp.oidc",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "yiwang.kernel.ui.middleware.content_security_policy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "yiwang.surfaces.portal.health.healthz",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "yiwang.kernel.access.middleware.OneTransaction",
    "allauth.account.middleware.AccountMiddleware",  # inside: it turns its own exceptions into pages
    "yiwang.kernel.accounts.second_factor.StaffNeedSecondFactor",
]


def database(url: str, **options: object) -> dict[str, object]:
    """A Django database entry from a PostgreSQL URL (socket or network)."""
    parts = urlparse(url)
    query = {key: values[0] for key, values in parse_qs(parts.query).items()}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", None) or parts.hostname or "",
        "PORT": query.pop("port", None) or parts.port or "",
        # prepare_threshold: for the statements of hot paths only; Django's own are never prepared.
        "OPTIONS": {"connect_timeout": 3, "prepare_threshold": 5, **query, **options},
    }


# Two roles: the owner migrates; the application may neither change tables nor pass row-level security.
# Where only the owner's URL is given, migrating gives the application role a password made from the
# secret key, so that no connection of the application could take the owner's rights back.
APPLICATION_PASSWORD = None
if ENV.database_url:
    OWNER_URL = ENV.database_owner_url or ENV.database_url
    APP_URL = ENV.database_url
    if not ENV.database_owner_url:
        APPLICATION_PASSWORD = environment.derived_secret(ENV.secret_key, "database role")
        APP_URL = environment.login_as(OWNER_URL, APPLICATION_ROLE, APPLICATION_PASSWORD)
else:
    try:
        OWNER_URL = embedded.url(ENV.var / "postgres", embedded.OWNER)
        APP_URL = embedded.url(ENV.var / "postgres", APPLICATION_ROLE)
    except FileNotFoundError:  # not started yet: commands that need no database still work
        OWNER_URL = APP_URL = "postgresql://postgres@/yiwang?host=/nonexistent"

DATABASES = {
    "default": {
        **database(APP_URL, pool={"min_size": 1, "max_size": 8, "timeout": 3, "reconnect_timeout": 2}),
        "CONN_HEALTH_CHECKS": True,  # after PostgreSQL restarts, the pool hands out live connections only
    },
    "owner": database(OWNER_URL),
}
DATABASE_ROUTERS = ["yiwang.kernel.access.routers.OwnerMigrates"]

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "yiwang.kernel.accounts.adapter.Adapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
ACCOUNT_SESSION_REMEMBER = False

MFA_ADAPTER = "yiwang.kernel.accounts.second_factor.Adapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
SECOND_FACTOR_KEY = environment.derived_secret(ENV.secret_key, "second factor")
CURSOR_KEY = environment.derived_secret(
    ENV.secret_key, "cursor"
)  # places in lists of other departments' records

# Signing in elsewhere (kernel/accounts/oidc): a link, since a form may not lead away from here (CSP).
SOCIALACCOUNT_ADAPTER = "yiwang.kernel.accounts.oidc.signing_in.Adapter"
SOCIALACCOUNT_ENABLED = True
SOCIALACCOUNT_LOGIN_ON_GET = True
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "APPS": [
            {
                "provider_id": "province",
                "name": ENV.oidc_label,
                "client_id": ENV.oidc_client_id,
                "secret": ENV.oidc_secret,
                "settings": {"server_url": ENV.oidc_url, "oauth_pkce_enabled": True},
            }
        ]
        if ENV.oidc_url
        else []
    }
}

# Departments' systems sign people in here.
IDP_OIDC_ADAPTER = "yiwang.kernel.accounts.oidc.giving.Adapter"
IDP_OIDC_PRIVATE_KEY = ENV.oidc_key or ""
IDP_OIDC_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]

# Short-lived things that every web process must see (codes of OIDC, counts of failed sign-ins).
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "shared_cache"}}

SESSION_COOKIE_AGE = 8 * 3600  # a working day; a form outlives it (see services.screens)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENV.https
SECURE_SSL_REDIRECT = ENV.https
SECURE_HSTS_SECONDS = 31536000 if ENV.https else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENV.https else None
CSRF_FAILURE_VIEW = "yiwang.surfaces.portal.errors.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CSRF_TRUSTED_ORIGINS = [ENV.base_url]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "django_cotton.cotton_loader.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "builtins": [
                "django_cotton.templatetags.cotton",
                "django.templatetags.i18n",
                "yiwang.kernel.ui.templatetags.yiwang",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "yiwang.kernel.ui.context.shell",
            ],
        },
    }
]
COTTON_DIR = "cotton"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
LOCALE_PATHS = [Path(__file__).resolve().parents[1] / "locale"]
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "ui" / "dist"]  # WhiteNoise serves the finders; nothing is collected
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
DJANGO_VITE = {"default": {"manifest_path": BASE_DIR / "ui" / "dist" / ".vite" / "manifest.json"}}

# Files are read in chunks and refused by kernel.files above its own limit; Django's cap is the backstop.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
