"""
Errors as problem documents (RFC 9457): a title, a detail, a stable code, and the next move.

No problem repeats what was sent: a value in the wrong field may be a person's e-mail address.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from accord.errors import AccordError, StoreUnavailable

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:accord:problem:{code}"

Problem = dict[str, Any]

# What Django REST framework would say repeats a header or a part of the body.
_SAID: Mapping[type[exceptions.APIException], str] = {
    exceptions.MethodNotAllowed: "This address doesn't take that method.",
    exceptions.UnsupportedMediaType: "The body has to be JSON, and say so in Content-Type.",
    exceptions.NotAcceptable: "The answer can be had as JSON only.",
    exceptions.ParseError: "The body is no JSON that can be read.",
    exceptions.NotFound: "There is nothing at this address.",
}
_NEXT: Mapping[type[exceptions.APIException], str] = {
    exceptions.NotAuthenticated: "Send the header “Authorization: Token …”, or sign in to the admin first.",
    exceptions.AuthenticationFailed: "Get a token: POST a user name and a password to /api/v1/token/.",
    exceptions.ValidationError: "Correct what “errors” names; /api/v1/docs/ describes each field.",
    exceptions.NotFound: "Addresses end in a slash; /api/v1/docs/ lists them all.",
    exceptions.Throttled: "Wait as many seconds as Retry-After says.",
}


class Refused(exceptions.APIException):
    """The body is larger than any that this API takes."""

    status_code = 413
    default_detail = "The body is larger than any that is taken here."
    default_code = "too_large"


def handle(error: Exception, _context: Mapping[str, Any]) -> Response | None:
    """
    Return the problem document for an error.

    Args:
        error: What a view raised.

    Returns:
        None for an unexpected error: Django logs that and answers 500.
    """
    known = _translated(error)
    if known is None:
        return None
    problem = of_error(known) if isinstance(known, AccordError) else _of_framework(known)
    set_rollback()
    return Response(problem, problem["status"], headers=_headers(known), content_type=MEDIA_TYPE)


def of_error(error: AccordError) -> Problem:
    """Describe an error of the suite."""
    title = (type(error).__doc__ or "").strip().splitlines()[0].rstrip(".")
    kind = TYPE.format(code=error.code)
    return _problem(kind, title, error.http_status, error.message, error.code, error.hint)


def _translated(error: Exception) -> AccordError | exceptions.APIException | None:
    if isinstance(error, Http404):
        return exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(error, OperationalError | InterfaceError):
        hint = "Send the same again in a moment; if it stays, see health_check."
        return StoreUnavailable("The database can't be reached, or gave up on this.", hint=hint)
    return error if isinstance(error, AccordError | exceptions.APIException) else None


def _of_framework(error: exceptions.APIException) -> Problem:
    invalid = isinstance(error, exceptions.ValidationError)
    detail = "What was sent doesn't fit." if invalid else _SAID.get(type(error), str(error.detail))
    title = str(error.default_detail).rstrip(".")
    code = str(error.default_code)
    problem = _problem("about:blank", title, error.status_code, detail, code, _NEXT.get(type(error), ""))
    if invalid:
        problem["errors"] = list(_faults(error.detail, ""))
    return problem


def _problem(kind: str, title: str, status: int, detail: str, code: str, following: str) -> Problem:
    return {
        "type": kind,
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "next": following,
    }


def _faults(detail: Any, pointer: str) -> Iterator[dict[str, str]]:
    """Name each wrong field by its JSON pointer."""
    if isinstance(detail, Mapping):
        for name, inside in detail.items():
            yield from _faults(inside, pointer if name == "non_field_errors" else f"{pointer}/{name}")
    elif isinstance(detail, list):
        for number, inside in enumerate(detail):
            yield from _faults(inside, pointer if isinstance(inside, str) else f"{pointer}/{number}")
    else:
        yield {"pointer": pointer, "detail": str(detail)}


def _headers(error: AccordError | exceptions.APIException) -> dict[str, str]:
    headers = {}
    if header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = header
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = f"{wait:.0f}"
    return headers
