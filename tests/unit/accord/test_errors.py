from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from accord import errors
from accord.bulk import errors as bulk_errors
from accord.errors import AccordError
from gdpr import errors as gdpr_errors
from migrator import errors as migrator_errors
from mongo_migrations import errors as mongo_errors
from searchindex import transport

REFERENCE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "errors.md"


def every_error(root: type[AccordError] = AccordError) -> Iterator[type[AccordError]]:
    for child in root.__subclasses__():
        yield child
        yield from every_error(child)


def ours() -> list[type[AccordError]]:
    rooms = (errors, bulk_errors, gdpr_errors, migrator_errors, mongo_errors, transport)
    modules = {room.__name__ for room in rooms}
    return list({error for error in every_error() if error.__module__ in modules})


@pytest.mark.parametrize("code", sorted(f"| {error.code} | {int(error.exit_code)} |" for error in ours()))
def test_every_error_stands_in_the_reference_with_its_exit_code(code: str) -> None:
    """Who looks a code up finds it, with what a command returns for it."""
    assert code in REFERENCE.read_text()


def test_codes_are_unique() -> None:
    """A code means one thing."""
    codes = [error.code for error in ours()]

    assert len(codes) == len(set(codes))


def test_text_leads_with_the_code() -> None:
    """A line in a log can be found by its code."""
    assert str(errors.LeaseLost("gone", hint="run again")) == "[ACC-502] gone"
