"""Errors as problem documents, and who counts as whom before anybody is signed in."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from rest_framework import exceptions

from accord.api import problems
from accord.api.permissions import wanted
from accord.errors import (
    AccordError,
    ChecksumMismatch,
    ConfigurationError,
    NotAllowed,
    StoreError,
    StoreRefused,
    StoreUnavailable,
    UsageError,
)
from core.settings.interfaces import rest_framework
from gdpr.errors import (
    ApprovalVoid,
    IllegalTransition,
    OnHold,
    OwnRequest,
    UnknownRequest,
    UnknownSubject,
    WrongKeyType,
)
from migrator.errors import OwnPlan


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (UnknownSubject, 404),
        (UnknownRequest, 404),
        (WrongKeyType, 422),
        (OwnRequest, 403),
        (OwnPlan, 403),
        (NotAllowed, 403),
        (IllegalTransition, 409),
        (ApprovalVoid, 409),
        (OnHold, 409),
        (ChecksumMismatch, 409),
        (StoreUnavailable, 503),
        (StoreRefused, 503),
        (StoreError, 502),
        (UsageError, 400),
        (ConfigurationError, 500),
    ],
)
def test_status_follows_the_class_of_the_error(kind: type[AccordError], status: int) -> None:
    """A class that isn't named has the status of the nearest one above it."""
    assert problems.of_error(kind("It is so."))["status"] == status


def test_problem_has_fact_code_and_next_move() -> None:
    """The title is the same for every error of its class; the detail is this one's."""
    problem = problems.of_error(OwnRequest("You filed it.", hint="Ask another person."))

    assert problem == {
        "type": "urn:accord:problem:ACC-823",
        "title": "Who filed, planned or came after a request, or is its subject, can't decide about it",
        "status": 403,
        "detail": "You filed it.",
        "code": "ACC-823",
        "next": "Ask another person.",
    }


def test_wrong_fields_are_named_by_pointers() -> None:
    """Fields inside of others, and members of lists, by where they stand."""
    error = exceptions.ValidationError({"subject": {"identifiers": ["Wrong."]}, "state": {0: ["Unknown."]}})

    answer = problems.handle(error, {})

    assert answer is not None
    assert [fault["pointer"] for fault in answer.data["errors"]] == ["/subject/identifiers", "/state/0"]


def test_database_that_is_away_tells_nothing_of_itself() -> None:
    """A driver's words may hold addresses and names."""
    answer = problems.handle(OperationalError("connection to server at 10.0.0.5 failed"), {})

    assert answer is not None
    assert answer.status_code == 503
    assert "10.0.0.5" not in str(answer.data)


def test_unexpected_error_is_left_to_django() -> None:
    """It is logged there, and answered with 500."""
    assert problems.handle(RuntimeError("a bug"), {}) is None


def test_action_that_no_view_names_needs_what_nobody_has() -> None:
    """A new action is closed until somebody says who may do it."""
    assert wanted({"list": "app.view_thing"}, "delete") == ()


@pytest.mark.parametrize(("behind_proxy", "proxies"), [(False, 0), (True, 1)])
def test_forwarded_address_counts_only_behind_a_proxy(behind_proxy: bool, proxies: int) -> None:
    """Otherwise a guesser of passwords would be a new caller with each header."""
    assert rest_framework(behind_proxy=behind_proxy)["NUM_PROXIES"] == proxies


@pytest.mark.parametrize("kind", exceptions.APIException.__subclasses__(), ids=lambda kind: kind.__name__)
def test_whatever_the_framework_refuses_is_told_whole(kind: type[exceptions.APIException]) -> None:
    """No title, detail or next move is empty, or a template with gaps."""
    given = {exceptions.MethodNotAllowed: ("DELETE",), exceptions.UnsupportedMediaType: ("text/x",)}
    answer = problems.handle(kind(*given.get(kind, ())), {})

    assert answer is not None
    told = [answer.data[part] for part in ("title", "detail", "next")]
    assert all(told)
    assert "{" not in "".join(told)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("connection to server at 10.0.0.5 failed", "can't be reached"),
        ("too many clients", "no connection left"),
        ("couldn't get a connection after 5.00 sec", "no connection in time"),
    ],
)
def test_trouble_of_the_database_keeps_its_cause(words: str, says: str) -> None:
    """A server that runs is not called away; whichever it is, its words stay in the log."""
    answer = problems.handle(OperationalError(words), {})

    assert answer is not None
    assert says in answer.data["detail"]
    assert words not in str(answer.data)
