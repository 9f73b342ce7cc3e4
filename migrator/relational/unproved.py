"""What of a migration leaves nothing to look at: Python, SQL of its own, operations that aren't Django's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.migrations import Migration, RunPython, RunSQL, SeparateDatabaseAndState

_OF_DJANGO = "django."


def unproved(migration: Migration) -> tuple[str, ...]:
    """
    Say what of a migration can't be looked at, a line each.

    Args:
        migration: As its file declares it.
    """
    return tuple(dict.fromkeys(_lines(migration.operations)))


def _lines(operations: Iterable[Any]) -> Iterator[str]:
    for operation in operations:
        if isinstance(operation, SeparateDatabaseAndState):
            # What the state gains is compared with the catalog, as for any other operation.
            yield from _lines(_unstated(operation))
        elif isinstance(operation, RunPython):
            if operation.code is not RunPython.noop:
                yield f"Whether the function {_name(operation.code)} ran can't be looked at."
        elif isinstance(operation, RunSQL):
            # One that says what it does to the state is held to that.
            if operation.sql not in (RunSQL.noop, []) and not operation.state_operations:
                yield "Whether SQL of its own ran can't be looked at."
        elif not (_is_of_django(type(operation)) or hasattr(operation, "move_into")):
            yield f"What the operation {type(operation).__name__} does can't be looked at."


def _unstated(operation: SeparateDatabaseAndState) -> Iterable[Any]:
    """Return the database's operations; where the state has its own, only those that Python code is in."""
    if not operation.state_operations:
        return operation.database_operations
    return [inner for inner in operation.database_operations if isinstance(inner, RunPython)]


def _is_of_django(kind: type[Any]) -> bool:
    """Check that what an operation does to a database is Django's doing, which the models describe."""
    definer = next(found for found in kind.__mro__ if "database_forwards" in vars(found))
    return definer.__module__.startswith(_OF_DJANGO)


def _name(function: Any) -> str:
    return str(getattr(function, "__qualname__", function))
