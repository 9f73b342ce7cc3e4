"""
Trying a definition on a scratch collection, which is empty, lives for a moment, and is nobody's.

Each has a name of its own, so that two who look at once don't meet. What a killed look left is removed by
a later one, once it is an hour old: the name tells when it was made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from accord.errors import StepFailed

if TYPE_CHECKING:
    from pymongo.database import Database
    from pymongo.errors import OperationFailure

    from mongo_migrations.looks import Target

SCRATCH = "accord_scratch_"
"""Beginning of the names of collections that live for a moment."""

_LEFT_BEHIND = 60 * 60
"""Seconds after which nobody looks with a scratch collection any more; clocks may differ by less."""
_OF_DEFINITIONS = frozenset({2, 9, 14, 51, 66, 67, 72, 73, 85, 86, 115, 166, 168, 197, 238})
# BadValue, FailedToParse, TypeMismatch, CannotCreateIndex, InvalidOptions, and their kin. The servers number
# the rest of what they don't understand from here on; what is below is about the moment: rights, time, room.
_FIRST_NUMBERED = 15000


@contextmanager
def standing(db: Database[dict[str, Any]], options: Mapping[str, Any]) -> Iterator[str]:
    """
    Make a scratch collection, and remove it afterwards.

    Args:
        db: The database.
        options: As the `create` command takes them.

    Yields:
        Its name.

    Raises:
        OperationFailure: The server does not take them.
    """
    from bson import ObjectId

    own = ObjectId()
    _sweep(db, own)
    name = f"{SCRATCH}{own}"
    try:
        db.command({"create": name, **options})
        yield name
    finally:
        db.drop_collection(name)


def _sweep(db: Database[dict[str, Any]], own: Any) -> None:
    from bson import ObjectId

    for name in db.list_collection_names(filter={"name": {"$regex": f"^{SCRATCH}[0-9a-f]{{24}}$"}}):
        made = ObjectId(name.removeprefix(SCRATCH)).generation_time
        if (own.generation_time - made).total_seconds() > _LEFT_BEHIND:
            db.drop_collection(name)


def tried(target: Target, options: Mapping[str, Any], indexes: Sequence[Mapping[str, Any]] = ()) -> None:
    """
    Have the server read a definition, by a collection that lives for a moment.

    Args:
        target: What the definition is for.
        options: Of the collection, as the `create` command takes them.
        indexes: As `createIndexes` takes them.

    Raises:
        StepFailed: The server would refuse it.
    """
    from pymongo.errors import OperationFailure

    try:
        with standing(target.context.db, options) as scratch:
            for one in indexes:
                target.context.db.command({"createIndexes": scratch, "indexes": [one]})
    except OperationFailure as exc:
        if not _is_about_definition(exc):
            raise
        raise _refused(target, exc) from exc


def _is_about_definition(exc: OperationFailure) -> bool:
    from pymongo.errors import ConnectionFailure

    moment = isinstance(exc, ConnectionFailure) or exc.has_error_label("RetryableWriteError")
    return not moment and (exc.code in _OF_DEFINITIONS or (exc.code or 0) >= _FIRST_NUMBERED)


def _refused(target: Target, exc: OperationFailure) -> StepFailed:
    from mongo_migrations.client import plain_message

    words = plain_message(exc)
    return StepFailed(
        f"{target.context.key}: the server refuses the definition for {target.name}: {words}.",
        hint="Correct the revision; what a definition may hold depends on the server's version.",
    )
