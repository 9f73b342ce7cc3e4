"""
Errors as problem documents (RFC 9457): a title, a detail, a stable code, and the next move.

No problem repeats what was sent: a value in the wrong field may be a person's e-mail address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from accord.api import refusals
from accord.audit import denials
from accord.connecting import trouble_of
from accord.denied import Denial, Denied
from accord.errors import AccordError, StoreUnavailable
from accord.patterns import REFERENCE

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:accord:problem:{code}"

Problem = dict[str, Any]


def handle(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """
    Return the problem document for an error.

    Args:
        error: What a view raised.
        context: The view and its request, as Django REST framework hands them over.

    Returns:
        None for an unexpected error: Django logs that and answers 500.
    """
    known = _translated(error)
    if known is None:
        return None
    if isinstance(known, Denied):
        denials.note(known, _denial(context))
    problem = of_error(known) if isinstance(known, AccordError) else _of_framework(known, context)
    set_rollback()
    return Response(problem, problem["status"], headers=_headers(known), content_type=MEDIA_TYPE)


def _denial(context: Mapping[str, Any]) -> Denial:
    """Describe who was refused what, where an error doesn't say: a page, and what its address names."""
    named = str(context.get("kwargs", {}).get("reference", ""))
    person = context["request"].user
    by = person if isinstance(person, AbstractBaseUser) else None
    return Denial(by=by, ref=named if re.fullmatch(REFERENCE, named) else "")


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
        return _of_database(error)
    return error if isinstance(error, AccordError | exceptions.APIException) else None


def _of_database(error: Exception) -> StoreUnavailable:
    """Name the kind of trouble, and nothing that the driver says: it may hold addresses and names."""
    trouble = trouble_of(error)
    says = "gave up on this statement: a deadlock, or a time limit" if trouble is None else trouble.says
    return StoreUnavailable(
        f"The database {says}.", hint="Send the same again in a moment; if it stays, see health_check."
    )


def _of_framework(error: exceptions.APIException, context: Mapping[str, Any]) -> Problem:
    told = refusals.told(error, context)
    code = str(error.default_code)
    problem = _problem("about:blank", told.title, error.status_code, told.detail, code, told.following)
    if isinstance(error, exceptions.ValidationError):
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
