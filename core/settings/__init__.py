"""
Settings of the ready-made project.

What an installation decides comes from the environment (see .env.example); everything else
stands here.
"""

from __future__ import annotations

from core.environment import BASE_DIR, load_environment
from core.settings.applications import CONTRIB, SUITE
from core.settings.applications import MIDDLEWARE as MIDDLEWARE
from core.settings.hardening import hardening
from core.settings.interfaces import SPECTACULAR, rest_framework
from core.settings.logs import logging_settings
from core.settings.mail import mail_settings
from core.settings.stores import accord_settings, databases, store_urls

_environment = load_environment()
_urls = store_urls(_environment, BASE_DIR)

# --- who we are -------------------------------------------------------------------------------

SECRET_KEY = _environment.secret_key
DEBUG = _environment.debug
ALLOWED_HOSTS = list(_environment.allowed_hosts)
CSRF_TRUSTED_ORIGINS = list(_environment.trusted_origins)
globals().update(hardening(_environment))

# --- apps and requests ------------------------------------------------------------------------

INSTALLED_APPS = [*CONTRIB, *SUITE]
ROOT_URLCONF = "core.urls"
WSGI_APPLICATION = "core.wsgi.application"
ASGI_APPLICATION = "core.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "core" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- stores -----------------------------------------------------------------------------------

DATABASES = databases(_urls)
DATABASE_ROUTERS = ["core.routers.DocumentsRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ACCORD = accord_settings(_environment, _urls)

# --- people -----------------------------------------------------------------------------------

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("fr", "Français"), ("de", "Deutsch")]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

# Whoever writes a request writes this header: its text has no place in the entries.
AUDITLOG_CID_HEADER = None
AUDITLOG_DISABLE_REMOTE_ADDR = True

# --- files ------------------------------------------------------------------------------------

STATIC_URL = "static/"
MEDIA_ROOT = _environment.media_root or BASE_DIR / ".accord" / "media"
STATIC_ROOT = _environment.static_root or BASE_DIR / ".accord" / "static"

# --- interfaces -------------------------------------------------------------------------------

REST_FRAMEWORK = rest_framework(behind_proxy=_environment.behind_proxy)
SPECTACULAR_SETTINGS = SPECTACULAR

# --- workers --------------------------------------------------------------------------------

CELERY_BROKER_URL = _environment.broker_url

# --- talk -----------------------------------------------------------------------------------

LOGGING = logging_settings(_environment.log_level)
globals().update(mail_settings(_environment, BASE_DIR))
