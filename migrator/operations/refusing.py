"""Rows that refuse what a batch would write, found one by one and named by their keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db import DataError, IntegrityError, transaction

from accord.errors import StepFailed
from migrator.operations.keys import shown
from migrator.operations.sql import Sql, send
from migrator.operations.walking import Place, Walk

_AT_ONCE = Sql("SET CONSTRAINTS ALL IMMEDIATE")
"""Django's foreign keys are asked when a transaction ends, and then nobody knows for which row."""


def written(connection: Any, write: Callable[[], int]) -> int:
    """
    Write within a transaction that lives on after a refusal.

    Raises:
        DataError: A value can't be made.
        IntegrityError: A constraint refuses it.
    """
    with transaction.atomic(using=connection.alias):
        send(connection, _AT_ONCE)
        return write()


def goes(connection: Any, write: Callable[[], int]) -> bool:
    """Return whether something can be written; nothing of it stays."""
    alias = connection.alias
    try:
        with transaction.atomic(using=alias):
            written(connection, write)
            transaction.set_rollback(True, using=alias)
    except (DataError, IntegrityError):
        return False
    return True


def refused(walk: Walk, places: Sequence[Place], error: Exception) -> StepFailed:
    """
    Return the error of a batch that was refused.

    Args:
        walk: The table.
        places: Rows that refuse, as far as they are known.
        error: What the server said; what it says of values isn't passed on.
    """
    which = f": {shown(walk, places)}" if places else ""
    reason = str(error).splitlines()[0].partition(":")[0]
    return StepFailed(
        f"{walk.table} has rows whose value can't be written ({reason}){which}.",
        hint="Correct these rows, or say a value that fits; then run it again: what is filled stays.",
    )
