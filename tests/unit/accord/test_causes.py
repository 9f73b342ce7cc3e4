"""The error at the end of a chain is found, whoever made the chain."""

from __future__ import annotations

import itertools

from accord.causes import causes_of, root_of
from accord.connecting import code_of


def chained(*errors: Exception) -> Exception:
    """Raise each error from the next one, and give the first."""
    for error, cause in itertools.pairwise(errors):
        error.__cause__ = cause
    return errors[0]


class FromDriver(Exception):
    """An error as psycopg2 makes them."""

    pgcode = "40P01"


def test_chain_is_followed_to_its_end() -> None:
    """Django's error, that of a library between, and the driver's."""
    first, second, third = ValueError("django"), RuntimeError("library"), FromDriver("driver")

    error = chained(first, second, third)

    assert list(causes_of(error)) == [first, second, third]
    assert root_of(error) is third
    assert code_of(error) == "40P01"


def test_driver_that_sqlalchemy_wraps_is_found() -> None:
    """SQLAlchemy keeps it in an attribute of its own."""
    error = ValueError("sqlalchemy")
    error.orig = FromDriver("driver")  # type: ignore[attr-defined]  # as SQLAlchemy does

    assert code_of(error) == "40P01"


def test_circle_ends() -> None:
    """An error that was raised from itself is one error."""
    error = ValueError("round")
    error.__cause__ = RuntimeError("and round")
    error.__cause__.__cause__ = error

    assert len(list(causes_of(error))) == 2
    assert code_of(error) is None
