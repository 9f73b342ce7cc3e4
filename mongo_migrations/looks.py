"""Looks at a live database for what an operation would meet: bounded in time, and nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from accord.errors import StepFailed
from accord.seam.foretelling import LOOK_SECONDS, SAMPLE_SIZE, Foretold, Outlook, masked
from accord.words import counted
from mongo_migrations.schema import LiveCollection, read_collection

if TYPE_CHECKING:
    from mongo_migrations.operations.base import Context

_MILLISECONDS = int(LOOK_SECONDS * 1000)
_LONGEST_NAME = 255  # bytes of database, dot and collection
_BRIEFLY = "X on the collection, for a moment"
_KINDS = {"viewOn": "a view", "timeseries": "a time series", "capped": "a capped collection"}


@dataclass(frozen=True)
class Target:
    """
    A collection that an operation is about.

    Attributes:
        context: What is looked with.
        name: Of the collection.
        what: The operation, in a few words.
    """

    context: Context
    name: str
    what: str

    @property
    def live(self) -> LiveCollection | None:
        """Describe the collection; None when there is none."""
        return read_collection(self.context.db, self.name)

    def told(self, outlook: Outlook, text: str, hint: str = "", **more: Any) -> Foretold:
        """Make one thing that is foretold."""
        return Foretold(key=self.context.key, outlook=outlook, what=self.what, text=text, hint=hint, **more)

    def size(self, text: str, lock: str = _BRIEFLY) -> Iterator[Foretold]:
        """Tell how large the collection is, if it is there."""
        found = self.live
        if found is not None and not found.options.get("viewOn"):
            rows, size = self.weight()
            yield self.told(
                Outlook.NOTE, text.format(counted(rows, "document")), rows=rows, bytes=size, lock=lock
            )

    def weight(self) -> tuple[int, int]:
        """Return the number of documents, by the collection's own count, and their bytes."""
        stats = self.context.db.command("collStats", self.name, maxTimeMS=_MILLISECONDS)
        return int(stats.get("count", 0)), int(stats.get("size", 0))

    def number(self, where: Mapping[str, Any]) -> int:
        """Count documents."""
        return self.context.db[self.name].count_documents(dict(where), maxTimeMS=_MILLISECONDS)

    def ids(self, where: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the ids of some documents, as they may be shown."""
        found = self.context.db[self.name].find(dict(where), {"_id": 1}).limit(SAMPLE_SIZE)
        return masked(one["_id"] for one in found.max_time_ms(_MILLISECONDS))

    def any(self, where: Mapping[str, Any]) -> bool:
        """Return whether a document matches."""
        found = self.context.db[self.name].find(dict(where), {"_id": 1}).limit(1)
        return next(iter(found.max_time_ms(_MILLISECONDS)), None) is not None

    def aggregate(self, stages: Iterable[Mapping[str, Any]], collation: Any) -> Mapping[str, Any]:
        """Return the one answer of an aggregation; nothing where there is none."""
        options = {"collation": collation} if collation else {}
        found = self.context.db[self.name].aggregate(
            list(stages), allowDiskUse=True, maxTimeMS=_MILLISECONDS, **options
        )
        return next(iter(found), {})


def kind_of(live: LiveCollection) -> str:
    """Return what a collection is, where it is none of the usual ones."""
    return next((kind for option, kind in _KINDS.items() if live.options.get(option)), "")


def refuse_unfit(context: Context, collection: str, *, missing_ok: bool) -> None:
    """
    Raise when no batches can be made of a collection.

    Args:
        context: Where the operation works.
        collection: Its name.
        missing_ok: There need not be one.

    Raises:
        StepFailed: There is none, or it is a view, capped or a time series.
    """
    found = read_collection(context.db, collection)
    if found is None and not missing_ok:
        raise StepFailed(
            f"{context.key}: there is no collection {collection} whose documents could be changed.",
            hint="Create it in an earlier revision, correct the name, or write missing_ok=True.",
        )
    kind = "" if found is None else kind_of(found)
    if kind:
        raise StepFailed(
            f"{context.key}: {collection} is {kind}, and batches in transactions do not work there.",
            hint="Write RunPython(..., transactional=False) for it, which may be called again after a kill.",
        )


def check_name(context: Context, name: str) -> None:
    """
    Refuse a name that the server would refuse.

    Raises:
        StepFailed: It is too long, or holds what a collection's name may not.
    """
    length = len(f"{context.db.name}.{name}".encode())
    odd = not name or "$" in name or "\0" in name or name.startswith(("system.", ".")) or name.endswith(".")
    if odd or length > _LONGEST_NAME:
        why = "can't be the name of a collection" if odd else f"is too long: {length} bytes with the database"
        raise StepFailed(
            f"{context.key}: “{name[:60]}” {why}.",
            hint=f"Choose another name, of {_LONGEST_NAME} bytes at most with the database's.",
        )


def readable(target: Target, validator: Mapping[str, Any]) -> None:
    """
    Have the server read the rules, as a query that finds nothing.

    Raises:
        StepFailed: It can't.
    """
    from pymongo.errors import OperationFailure

    from mongo_migrations.client import plain_message

    own = str(dict(validator))
    try:
        target.any({"$and": [dict(validator), {"_id": {"$in": []}}]} if validator else {"_id": {"$in": []}})
    except OperationFailure as exc:
        if exc.code not in _UNREADABLE:
            raise
        raise StepFailed(
            f"{target.context.key}: the server can't read the rules of {target.name}: "
            f"{plain_message(exc, own)}.",
            hint="Correct the validator; what it may hold depends on the server's version.",
        ) from exc


_UNREADABLE = frozenset({2, 9, 14, 168, 51, 40353})  # BadValue, FailedToParse, TypeMismatch, ...


def violators(target: Target, rules: Mapping[str, Any]) -> Iterator[Foretold]:
    """
    Tell how many documents break rules that are going to be set, and what becomes of them.

    Args:
        target: The collection.
        rules: Validator, level and action, as `collMod` takes them.
    """
    validator = rules.get("validator")
    if not validator or rules.get("validationLevel") == "off":
        return
    breaking = {"$nor": [dict(validator)]}
    number = target.number(breaking)
    if not number:
        return
    strict = rules.get("validationLevel", "strict") == "strict"
    refusing = rules.get("validationAction", "error") != "warn"
    if refusing and strict:
        outcome, outlook = "from then on each change of them is refused", Outlook.WARNING
    elif refusing:
        outcome, outlook = "they may still be changed, because the level is moderate", Outlook.NOTE
    else:
        outcome, outlook = "nothing is refused, because the action is to warn", Outlook.NOTE
    yield target.told(
        outlook,
        f"{counted(number, 'document')} would break the rules: {outcome}.",
        "Mend them in an earlier operation (UpdateInBatches), or set validation_level or validation_action.",
        rows=number,
        sample=target.ids(breaking),
    )
