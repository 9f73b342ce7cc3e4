"""The apps of the project, and what a request passes on its way to them."""

from __future__ import annotations

CONTRIB = [
    # First, because of two commands of one name Django takes that of the earlier app.
    "core.apps.CoreConfig",
    "core.apps.AccordAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "auditlog",
]

SUITE = [
    "accord",
    "migrator",
    "mongo_migrations",
    "searchindex",
    "gdpr",
    "examples.streaming",
    "examples.streaming.documents",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "accord.middleware.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "accord.audit.middleware.AuditlogMiddleware",
]
