"""What a collection would say to an index before it is built."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from accord.errors import StepFailed
from accord.seam.foretelling import Foretold, Outlook
from accord.words import counted
from mongo_migrations import definitions
from mongo_migrations.duplicates import duplicates
from mongo_migrations.looks import Target, kind_of
from mongo_migrations.places import misplaced
from mongo_migrations.schema import read_indexes
from mongo_migrations.scratch import tried

_MOST = 64
_LOCK = "X on the collection at the beginning and the end, IX while it builds"
_SIGNATURE = ("unique", "sparse", "partialFilterExpression")
"""What two indexes on the same keys have to differ in to stand beside each other."""

_OF_ITS_INDEXES = ("collation", "timeseries")
"""Options of a collection that decide what its indexes may be."""

Definition = Mapping[str, Any]


def look(target: Target, wanted: Sequence[Definition], *, refuse_other: Any) -> Iterator[Foretold]:
    """
    Tell what would refuse or burden some indexes of a collection.

    Args:
        target: The collection.
        wanted: Their definitions, as `createIndexes` takes them.
        refuse_other: Raises where an index of the name is there with another definition; takes both.

    Raises:
        ConflictingState: One is there, and different.
        StepFailed: The server would refuse one.
    """
    live = target.live
    if live is None:
        tried(target, {}, wanted)
        return
    if live.options.get("viewOn"):
        raise StepFailed(
            f"{target.context.key}: {target.name} is a view, and a view has no indexes.",
            hint="Build the index on the collection behind it.",
        )
    found = read_indexes(target.context.db, target.name)
    missing = [one for one in wanted if one["name"] not in found]
    for one in wanted:
        if one["name"] in found:
            refuse_other(one, found[one["name"]])
    if not missing:
        return
    _check_number(target, found, missing)
    for one in missing:
        _check_twin(target, one, found.values(), live.options.get("collation"))
    tried(target, {name: live.options[name] for name in _OF_ITS_INDEXES if name in live.options}, missing)
    for one in missing:
        yield from _documents(target, one, kind_of(live))
    yield from target.size("{} have to be read.", _LOCK)


def _check_number(target: Target, found: Mapping[str, Any], missing: Sequence[Definition]) -> None:
    if len(found) + len(missing) > _MOST:
        raise StepFailed(
            f"{target.context.key}: {target.name} has {len(found)} indexes, and {_MOST} is the most.",
            hint="Drop indexes that nobody uses (DropIndex) in an earlier operation.",
        )


def _check_twin(target: Target, wanted: Definition, live: Any, collation: Any) -> None:
    """Refuse an index that is there under another name: two such can't stand beside each other."""
    ours = definitions.normalised_index(definitions.as_kept(dict(wanted)))
    for found in live:
        texts = "_fts" in ours["key"] and "_fts" in found["key"]
        if not texts and not _is_twin(ours, definitions.as_kept(dict(found)), collation):
            continue
        raise StepFailed(
            f"{target.context.key}: index {wanted['name']} of {target.name} can't be built: "
            + (
                f"{found['name']} is a text index, and a collection has one."
                if texts
                else f"{found['name']} is on the same fields already."
            ),
            hint=f"Declare it under the name {found['name']}, or drop that one in an earlier operation.",
        )


def _is_twin(ours: Definition, theirs: Definition, collation: Any) -> bool:
    if list(ours["key"].items()) != list(theirs["key"].items()) or list(ours["key"]) == ["_id"]:
        return False
    if any((ours.get(name) or None) != (theirs.get(name) or None) for name in _SIGNATURE):
        return False
    mine = ours.get("collation", collation) or {}
    other = theirs.get("collation") or {}
    return bool(mine.get("locale", "simple") == other.get("locale", "simple") == "simple")


def _documents(target: Target, wanted: Definition, kind: str) -> Iterator[Foretold]:
    """Look at the documents that the index would hold."""
    if wanted.get("unique"):
        yield from _unique(target, wanted, kind)
    _check_lists(target, wanted)
    yield from _places(target, wanted)
    if "_fts" in wanted["key"] or "text" in wanted["key"].values():
        yield from _languages(target, wanted)
    if "expireAfterSeconds" in wanted:
        yield from _due(target, wanted)
        yield from _undated(target, wanted)


def _covered(wanted: Definition) -> list[Mapping[str, Any]]:
    """Return the condition of which documents are in the index, if not all are."""
    partial = wanted.get("partialFilterExpression")
    return [dict(partial)] if partial else []


def _places(target: Target, wanted: Definition) -> Iterator[Foretold]:
    covered = [{"$match": one} for one in _covered(wanted)]
    for path in (path for path, kind in wanted["key"].items() if kind == "2dsphere"):
        count = {"$group": {"_id": "$_id"}}, {"$group": {"_id": None, "n": {"$sum": 1}}}
        number = int(target.aggregate([*covered, *misplaced(path), *count], None).get("n", 0))
        if number:
            yield target.told(
                Outlook.REFUSED,
                f"{counted(number, 'document')} of {target.name} hold what is no place in {path}.",
                "Mend them in an earlier operation, or let the index leave them out (partial_filter).",
                rows=number,
            )
    flat = [path for path, kind in wanted["key"].items() if kind == "2d"]
    held = [{path: {"$type": ["object", "array"]}} for path in flat]
    if held and target.any({"$and": [{"$or": held}, *_covered(wanted)]}):
        yield target.told(Outlook.UNKNOWN, "Whether each document holds a point of the plane can't be asked.")


def _languages(target: Target, wanted: Definition) -> Iterator[Foretold]:
    """Look at the field that tells the language of a document; often it means something else."""
    field = wanted.get("language_override", "language")
    stated = {field: {"$exists": True}}
    other = {field: {"$exists": True, "$not": {"$type": "string"}}}
    number = target.number({"$and": [other, *_covered(wanted)]})
    hint = "Name another field (language_override) that tells a document's language, or one that isn't there."
    if number:
        text = f"{counted(number, 'document')} of {target.name} hold in {field} what is no language."
        yield target.told(Outlook.REFUSED, text, hint, rows=number)
    elif target.any({"$and": [stated, *_covered(wanted)]}):
        text = f"Whether the server knows each language that is in the field {field} can't be asked."
        yield target.told(Outlook.UNKNOWN, text, hint)


def _unique(target: Target, wanted: Definition, kind: str) -> Iterator[Foretold]:
    if kind == "a time series":
        raise StepFailed(
            f"{target.context.key}: {target.name} is a time series, and no index of one is unique.",
            hint="Leave unique out.",
        )
    stages = duplicates(wanted)
    if stages is None:
        yield target.told(Outlook.UNKNOWN, f"Whether {wanted['name']} is unique can't be asked.")
        return
    found = target.aggregate(stages, wanted.get("collation"))
    if found:
        keys = counted(found["keys"], "key")
        yield target.told(
            Outlook.REFUSED,
            f"{keys} of the unique index {wanted['name']} of {target.name} stand in more than one document: "
            f"{counted(found['documents'], 'document')} in all.",
            "Merge or delete them in an earlier operation, or let the index leave them out (partial_filter).",
            rows=found["documents"],
            sample=target.sample(map(_plain, found["sample"]), list(wanted["key"])),
        )


def _plain(key: Mapping[str, Any]) -> str:
    return ", ".join(map(str, key.values()))


def _check_lists(target: Target, wanted: Definition) -> None:
    """Refuse what no index takes: two lists in one key, a list in a hash."""
    paths = [path for path, kind in wanted["key"].items() if kind in (1, -1) and "$**" not in path]
    hashed = [path for path, kind in wanted["key"].items() if kind == "hashed"]
    pairs = [(one, other) for number, one in enumerate(paths) for other in paths[number + 1 :]]
    conditions = [{path: {"$type": "array"}} for path in hashed]
    conditions += [{one: {"$type": "array"}, other: {"$type": "array"}} for one, other in pairs]
    if conditions and target.any({"$and": [{"$or": conditions}, *_covered(wanted)]}):
        what = "a list in a hashed field" if hashed else "lists in two of its fields"
        raise StepFailed(
            f"{target.context.key}: index {wanted['name']} of {target.name} can't hold a document "
            f"with {what}.",
            hint="Index one of the fields, or let the index leave such documents out (partial_filter).",
        )


def _due(target: Target, wanted: Definition) -> Iterator[Foretold]:
    """Warn of documents that are old enough to be removed as soon as the index stands."""
    before = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=float(wanted["expireAfterSeconds"]))
    number = target.number({"$and": [{next(iter(wanted["key"])): {"$lt": before}}, *_covered(wanted)]})
    if number:
        yield target.told(
            Outlook.WARNING,
            f"{counted(number, 'document')} of {target.name} are older than the index {wanted['name']} keeps "
            "them: the server removes them within a minute or so.",
            rows=number,
        )


def _undated(target: Target, wanted: Definition) -> Iterator[Foretold]:
    """Warn of documents that never expire, because what they hold is no date."""
    path = next(iter(wanted["key"]))
    other = {path: {"$exists": True, "$not": {"$type": "date"}}}
    number = target.number({"$and": [other, *_covered(wanted)]})
    if number:
        yield target.told(
            Outlook.WARNING,
            f"{counted(number, 'document')} of {target.name} hold no date in {path}, and never expire.",
            "Make dates of them in an earlier operation (UpdateInBatches, $toDate).",
            rows=number,
        )
