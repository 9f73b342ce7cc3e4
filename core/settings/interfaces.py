"""The HTTP API: who is asked to sign in, how often anybody may ask, and what its description says."""

from __future__ import annotations

from typing import Any


def rest_framework(*, behind_proxy: bool) -> dict[str, Any]:
    """
    Build `REST_FRAMEWORK`.

    Args:
        behind_proxy: Whether one proxy stands in front; otherwise X-Forwarded-For is anybody's word,
            and would let a guesser of passwords be a new caller each time.
    """
    return {
        "DEFAULT_AUTHENTICATION_CLASSES": [
            "accord.api.authentication.TokenAuthentication",
            "rest_framework.authentication.SessionAuthentication",
        ],
        # What names no permission of its own is allowed to no account.
        "DEFAULT_PERMISSION_CLASSES": ["accord.api.permissions.PerAction"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
        "DEFAULT_THROTTLE_RATES": {
            "accord_read": "600/min",
            "accord_write": "60/min",
            "accord_sign_in": "5/min",
            "accord_sign_in_name": "30/hour",
        },
        "NUM_PROXIES": 1 if behind_proxy else 0,
    }


SPECTACULAR: dict[str, Any] = {
    "TITLE": "Accord",
    "DESCRIPTION": "Migrations, health and privacy requests of every store of this project.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENFORCE_NON_BLANK_FIELDS": True,
    "PREPROCESSING_HOOKS": ["accord.api.schema.ours_only"],
    "POSTPROCESSING_HOOKS": ["accord.api.schema.with_problems"],
    # The page loads nothing from other hosts, and asks none whether the description is valid.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
}
