"""
Throttles: how often one account may read and write, and how often a client may try to sign in.

`REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]` sets the numbers, under the names in `RATES`. The counts
are kept in Django's default cache: with a cache for each process, each counts for itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import SimpleRateThrottle

from accord.api.permissions import action_of

RATES: Mapping[str, str] = {
    "accord_read": "600/min",
    "accord_write": "60/min",
    "accord_sign_in": "5/min",
    "accord_sign_in_name": "30/hour",
}
"""How often, unless the project says otherwise."""
_SAFE = ("GET", "HEAD", "OPTIONS")


class _Throttle(SimpleRateThrottle):
    """A throttle whose rate is read when a request comes, with a default."""

    def get_rate(self) -> str | None:
        """Read the rate; None in the settings means no limit."""
        rates = api_settings.DEFAULT_THROTTLE_RATES
        return rates[self.scope] if self.scope in rates else RATES[self.scope]

    def key(self, who: object) -> str:
        """Return the cache key of an account's or client's count."""
        return str(self.cache_format % {"scope": self.scope, "ident": who})


class ReadThrottle(_Throttle):
    """How often an account may ask for what changes nothing."""

    scope = "accord_read"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        return self.key(request.user.pk) if reads(request, view) else None


class WriteThrottle(_Throttle):
    """How often an account may ask for a change."""

    scope = "accord_write"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        return None if reads(request, view) else self.key(request.user.pk)


class SignInByAddress(_Throttle):
    """How often one address may try to sign in."""

    scope = "accord_sign_in"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        return self.key(self.get_ident(request)) if request.method == "POST" else None


class SignInByName(_Throttle):
    """How often clients, from any address, may try to sign in to one account."""

    scope = "accord_sign_in_name"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        name = request.data.get("username") if isinstance(request.data, dict) else None
        if request.method != "POST" or not isinstance(name, str):
            return None
        # A user name has no place in a cache; nor has a text of unlimited length.
        return self.key(hashlib.sha256(name.lower().encode("utf-8", "replace")).hexdigest())


def reads(request: Request, view: Any) -> bool:
    """Return whether a request changes nothing: by its method, or because the view says so of its action."""
    return request.method in _SAFE or action_of(request, view) in getattr(view, "reading", ())
