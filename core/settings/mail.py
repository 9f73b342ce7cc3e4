"""How mail goes: letters to people, notices to recipients, warnings before an account is erased."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from core.environment import Environment

_FILES = "django.core.mail.backends.filebased.EmailBackend"


def mail_settings(environment: Environment, base: Path) -> dict[str, Any]:
    """
    Build Django's settings of mail. Where nothing is decided, development writes into a folder.

    Args:
        environment: What the environment says.
        base: Folder of the project.

    Raises:
        ImproperlyConfigured: EMAIL_URL can't be read; the text never holds it.
    """
    sender = {"DEFAULT_FROM_EMAIL": environment.mail_from} if environment.mail_from else {}
    if environment.mail_url:
        return {**_read(environment.mail_url), **sender}
    if environment.is_guarded:
        return dict(sender)
    return {"EMAIL_BACKEND": _FILES, "EMAIL_FILE_PATH": base / ".accord" / "mail", **sender}


def _read(url: str) -> dict[str, Any]:
    try:
        found = environ.Env.email_url_config(url)
    except (ImproperlyConfigured, ValueError):
        # Without the cause, too: a password stands in it.
        raise ImproperlyConfigured("EMAIL_URL has a value that can't be read. See .env.example.") from None
    return {name: value for name, value in found.items() if value not in (None, "")}
