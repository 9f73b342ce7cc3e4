"""The middleware that tells browsers to run and load nothing but what the site itself serves."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

HEADER = "Content-Security-Policy"
_OF_DJANGO = "'sha256-blvLUW3UscWqsXGByNOqdBboM+ShWAuugp2mC/wbafU='"
"""The one style that Django's admin writes into a page, of a list without actions."""
POLICY = (
    f"default-src 'none'; script-src 'self'; style-src 'self' {_OF_DJANGO}; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""What the admin and the pages of the suite need. Scripts and styles within a page are not run."""
STYLED_WITHIN = POLICY.replace(_OF_DJANGO, "'unsafe-inline'")
"""For a page whose library writes styles into it; scripts within it are not run there either."""


class ContentSecurityPolicyMiddleware:
    """
    Adds a `Content-Security-Policy` to each answer that has none of its own.

    Where a project uses django-csp, or Django's own from 6.0 on, this one isn't needed. Source: https://www.w3.org/TR/CSP3/

    Args:
        get_response: What answers the request.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request."""
        response = self._get_response(request)
        response.headers.setdefault(HEADER, POLICY)
        return response
