"""
What Django REST framework refuses, in the suite's words: what is so, at this address, and the next move.

Its own words are templates until an instance fills them, and repeat headers and bodies; none of that is
sent back. What can be named without repeating is: a method is a word of HTTP, and what an address takes
is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rest_framework import exceptions


class Refused(exceptions.APIException):
    """The body is larger than any that this API takes."""

    status_code = 413
    default_detail = "The body is larger than any that is taken here."
    default_code = "too_large"


@dataclass(frozen=True)
class Told:
    """
    What is said about a refusal.

    Attributes:
        title: What kind it is; the same for all of its kind.
        detail: What is so here.
        following: The next move.
    """

    title: str
    detail: str
    following: str


def _method(_error: exceptions.APIException, context: Mapping[str, Any]) -> Told:
    allowed = getattr(context.get("view"), "allowed_methods", ())
    taken = ", ".join(method for method in allowed if method != "HEAD")
    sent = str(getattr(context.get("request"), "method", ""))
    named = sent if sent.isascii() and sent.isalpha() and len(sent) <= _LONGEST_METHOD else "that method"
    return Told(
        "Method not allowed",
        f"This address doesn't take {named}.",
        f"It takes {taken}; /api/v1/docs/ describes each." if taken else _LISTED,
    )


def _own(title: str, following: str) -> Callable[..., Told]:
    """Take the words of the instance, which the suite itself wrote or which hold numbers only."""
    return lambda error, _context: Told(title, str(error.detail), following)


def _said(title: str, detail: str, following: str) -> Callable[..., Told]:
    return lambda _error, _context: Told(title, detail, following)


_LONGEST_METHOD = 10
_LISTED = "Addresses end in a slash; /api/v1/docs/ lists them all."
_KINDS: Mapping[type[exceptions.APIException], Callable[..., Told]] = {
    exceptions.MethodNotAllowed: _method,
    exceptions.UnsupportedMediaType: _said(
        "Unsupported media type",
        "The body has to be JSON, and say so.",
        "Send it as JSON, with the header “Content-Type: application/json”.",
    ),
    exceptions.NotAcceptable: _said(
        "Not acceptable",
        "The answer can be had as JSON only.",
        "Send the header “Accept: application/json”, or leave it out.",
    ),
    exceptions.ParseError: _said(
        "Malformed request",
        "The body is no JSON that can be read.",
        "Send one JSON object in UTF-8; /api/v1/docs/ describes its fields.",
    ),
    exceptions.ValidationError: _said(
        "Invalid input",
        "What was sent doesn't fit.",
        "Correct what “errors” names; /api/v1/docs/ describes each field and parameter.",
    ),
    exceptions.NotFound: _said("Not found", "There is nothing at this address.", _LISTED),
    exceptions.NotAuthenticated: _own(
        "Not signed in", "Send the header “Authorization: Token …”, or sign in to the admin first."
    ),
    exceptions.AuthenticationFailed: _own(
        "Not signed in", "Get a token: POST a user name and a password to /api/v1/token/."
    ),
    exceptions.PermissionDenied: _own(
        "Not allowed", "Ask an administrator for the permission that /api/v1/docs/ names for this operation."
    ),
    exceptions.Throttled: _own("Too many requests", "Wait as many seconds as Retry-After says."),
    Refused: _own("Body too large", "Send less: /api/v1/docs/ says how long each field may be."),
}


def told(error: exceptions.APIException, context: Mapping[str, Any]) -> Told:
    """
    Return what is said about an error of the framework.

    Args:
        error: The error; of a class that isn't known here, the nearest one above it counts.
        context: The view and its request.
    """
    kinds = (one for one in type(error).__mro__ if one in _KINDS)
    known = next(kinds, None)
    return _KINDS[known](error, context) if known else _foreign(error)


def _foreign(error: exceptions.APIException) -> Told:
    """Describe an error of the project's own classes."""
    title = str(type(error).__name__)
    return Told(title, str(error.detail), "See /api/v1/docs/; the server's log says more.")
