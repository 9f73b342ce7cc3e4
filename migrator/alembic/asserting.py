"""`checks_before` and `checks_after` of a revision file: SQL, or functions of SQLAlchemy's connection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from accord.seam import assertions
from accord.seam.assertions import Assertion, Broken, Moment, Test
from accord.seam.types import Step


def may_declare(step: Step, moment: Moment) -> bool:
    """Return whether a file may declare something; a file that doesn't is never imported for it."""
    return moment.value in step.source.text


def declared(step: Step, module: Any, moment: Moment) -> Sequence[Assertion]:
    """
    Return what a revision's module declares.

    Raises:
        InvalidRevision: It is no list of assertions.
    """
    value = getattr(module, moment.value, ())
    return assertions.declared(value, moment, str(step.source.path), sql=True) if value else ()


def broken(step: Step, module: Any, moment: Moment, connection: Any) -> Iterator[Broken]:
    """Ask which assertions don't hold, on a connection that may be within the revision's transaction."""
    found = declared(step, module, moment)
    return assertions.broken(step.key, moment, found, lambda test: _ask(connection, test))


def _ask(connection: Any, test: Test) -> object:
    """Ask one thing in a part of a transaction that takes no writes and is rolled back."""
    part = connection.begin_nested()
    try:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        if isinstance(test, str):
            return connection.exec_driver_sql(test.replace("%", "%%")).fetchall()
        return test(connection)
    finally:
        part.rollback()
