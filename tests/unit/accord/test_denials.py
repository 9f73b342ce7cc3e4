"""A refusal is put on record beside the answer, and never in its way."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from accord.audit import denials
from accord.errors import NotAllowed, UsageError
from gdpr.errors import OwnRequest
from migrator.errors import NotEntitled, OwnPlan

REFUSALS = (NotAllowed, OwnRequest, OwnPlan, NotEntitled)


@pytest.mark.parametrize("kind", REFUSALS)
def test_refusal_stands_where_it_can_not_be_noted(
    kind: type[NotAllowed], settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """Settings that can't be read keep nobody from being refused; one line says what is missing."""
    settings.ACCORD = {"NO_SUCH_SETTING": True}
    error = kind("Not you.")

    denials.note(error)
    denials.note(error)

    assert [record.getMessage() for record in caplog.records] == [
        "A refusal could not be written into the audit trail (ConfigurationError)"
    ]


def test_what_refuses_nobody_is_passed_over(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    """A wrong call is no refusal of a person: nothing is tried."""
    settings.ACCORD = {"NO_SUCH_SETTING": True}

    denials.note(UsageError("No such flag."))

    assert caplog.records == []
