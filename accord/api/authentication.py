"""Signing in to the API by a token of the suite."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accord import tokens
from accord.acting import Account
from accord.models import AccessToken

SCHEME = "Token"


class TokenAuthentication(BaseAuthentication):
    """Lets an account in that sends `Authorization: Token …`, as for the framework's own tokens."""

    def authenticate(self, request: Request) -> tuple[Account, AccessToken] | None:
        """
        Find who asks.

        Returns:
            None where nothing of this scheme was sent.

        Raises:
            AuthenticationFailed: The token signs nobody in.
        """
        sent = get_authorization_header(request).split()
        if not sent or sent[0].lower() != SCHEME.lower().encode():
            return None
        found = tokens.signed_in_by(sent[1].decode("latin-1")) if len(sent) == 2 else None  # noqa: PLR2004 - scheme and token
        if found is None:
            raise AuthenticationFailed("This token signs nobody in: it is unknown, ended or expired.")
        return found

    def authenticate_header(self, request: Request) -> str:
        """Return the scheme that an answer 401 asks for."""
        return SCHEME


class Described(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # the library has no types here
    """How the description of the API names it."""

    target_class = TokenAuthentication
    name = "tokenAuth"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Describe the header."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": f"“{SCHEME} ” and a token, from /api/v1/token/ or accord_token.",
        }
