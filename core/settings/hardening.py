"""Settings that guard a site that others can reach; off only where DEBUG is on."""

from __future__ import annotations

from typing import Any

from core.environment import Environment


def hardening(environment: Environment) -> dict[str, Any]:
    """
    Decide the security settings of Django.

    Sub-domains and preloading stay out of HSTS: both bind hosts that aren't ours to bind.

    Returns:
        Setting names to values.
    """
    secure = not environment.debug
    settings: dict[str, Any] = {
        "SECURE_SSL_REDIRECT": environment.ssl_redirect,
        # Probes come without TLS, and take a redirect for a yes.
        "SECURE_REDIRECT_EXEMPT": [r"^healthz$", r"^readyz$"],
        "SECURE_HSTS_SECONDS": environment.hsts_seconds,
        "SECURE_CONTENT_TYPE_NOSNIFF": True,
        "SECURE_REFERRER_POLICY": "same-origin",
        "SESSION_COOKIE_SECURE": secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "CSRF_COOKIE_SECURE": secure,
        "CSRF_COOKIE_SAMESITE": "Lax",
        "X_FRAME_OPTIONS": "DENY",
    }
    if environment.behind_proxy:
        settings["SECURE_PROXY_SSL_HEADER"] = ("HTTP_X_FORWARDED_PROTO", "https")
    return settings
