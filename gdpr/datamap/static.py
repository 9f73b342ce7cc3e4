"""What can be seen to be wrong in a data map without asking any server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.apps import apps
from django.db import connections, models

from accord import conf, db
from gdpr.datamap import moved, whose
from gdpr.datamap.actions import (
    Anonymise,
    Delete,
    Detach,
    Manual,
    Nothing,
    Pull,
    Refresh,
    Retain,
    Unset,
    touched,
)
from gdpr.datamap.entries import Entry
from gdpr.datamap.externals import EXTERNAL, externals
from gdpr.datamap.findings import Fault, MapFinding, MapLevel, about
from gdpr.datamap.identity import identity
from gdpr.datamap.inactive import unfounded
from gdpr.datamap.kin import kin, strangers
from gdpr.datamap.kinds import Subject
from gdpr.datamap.lapses import endless
from gdpr.datamap.lawful import lawful
from gdpr.datamap.locators import Array, External, Generic, Key, Keyed, Sessions, needs, parts
from gdpr.datamap.map import DataMap
from gdpr.datamap.strategies import Strategy
from gdpr.errors import InvalidDataMap


def require_sound(data_map: DataMap) -> None:
    """
    Refuse to work with a map that contradicts itself.

    Raises:
        InvalidDataMap: It does; the message names the first fault.
    """
    errors = [finding for finding in static_findings(data_map) if finding.level is MapLevel.ERROR]
    if errors:
        raise InvalidDataMap(
            f"The data map has {len(errors)} errors; the first: {errors[0].message}",
            hint=errors[0].hint or "See `gdpr_datamap check`.",
        )


def static_findings(data_map: DataMap) -> Iterator[MapFinding]:
    """
    Look at a data map alone.

    Args:
        data_map: The map.

    Returns:
        What is wrong; lazily.
    """
    yield from _subjects(data_map)
    yield from identity(data_map.subjects, data_map.entries)
    yield from whose.faults(data_map.entries, data_map.subjects)
    stores = conf.load().store_settings()
    for entry in data_map.entries:
        if entry.store not in stores and not entry.store.startswith(EXTERNAL):
            what = f"names the store {entry.store}, which is not configured"
            yield about(Fault.NO_STORE, entry, what, f"Stores: {', '.join(stores)}.")
        yield from externals(entry)
        yield from _references(entry, data_map)
        for subject in data_map.subjects:
            yield from _keys(entry, subject)
        yield from _action(entry)
        yield from _keeps(entry)
        yield from endless(entry, one.model if (one := data_map.whose(entry)) else "")
        yield from lawful(entry)
        yield from _strategies(entry)
    yield from _cycles(data_map)
    yield from _contradictions(data_map)


def _subjects(data_map: DataMap) -> Iterator[MapFinding]:
    if not data_map.subjects:
        yield MapFinding(
            fault=Fault.NO_SUBJECT,
            message="No app declares whose data these are.",
            hint='Write SUBJECT = Subject(model="app.Model") into the privacy.py of one app.',
        )
    for subject in data_map.subjects:
        yield from _subject(subject, data_map)


def _subject(subject: Subject, data_map: DataMap) -> Iterator[MapFinding]:
    try:
        model = apps.get_model(subject.model)
        names = {field.name for field in model._meta.concrete_fields} | {"pk"}
    except (LookupError, ValueError):
        names = set()
    rule = subject.inactive
    if rule is not None:
        yield from unfounded(rule, subject.model, subject.names, data_map.by_id)
    declared = (*subject.names, *filter(None, [subject.created]))
    missing = [name for name in declared if name not in names]
    if missing:
        yield MapFinding(
            fault=Fault.NO_SUBJECT,
            message=f"The subject {subject.model} has no {', '.join(missing)}.",
            hint=moved.hint(subject.model, moved.SUBJECT),
            target=subject.model,
        )


def _references(entry: Entry, data_map: DataMap) -> Iterator[MapFinding]:
    for other in (*entry.derived_from, *needs(entry.locator)):
        if other not in data_map.by_id:
            yield about(
                Fault.NO_ENTRY,
                entry,
                f"refers to an entry “{other}”, which does not exist",
                "Correct the id; `gdpr_datamap show` lists them.",
            )
    for locator in parts(entry.locator):
        if isinstance(locator, Generic):
            yield from _relatives(entry, locator)


def _relatives(entry: Entry, locator: Generic) -> Iterator[MapFinding]:
    """Look for parents and children that a log knows by other keys than the logged entry collects."""
    for label in locator.of.values():
        for relative in strangers(label):
            if not any(kin(relative) == kin(named) for named in locator.of.values()):
                yield about(
                    Fault.NO_ENTRY,
                    entry,
                    f"finds what is logged about {label}, not about {relative}, which has its own keys",
                    f"Add an entry for the rows of {relative}, and name it in `of`.",
                )


def _keys(entry: Entry, subject: Subject) -> Iterator[MapFinding]:
    for locator in parts(entry.locator):
        by = locator.by if isinstance(locator, Keyed | External) else ""
        if by and entry.is_of(subject.model) and by not in subject.names:
            yield about(
                Fault.NO_KEY,
                entry,
                f"asks for the key “{by}”, which {subject.model} does not have",
                f"Keys: {', '.join(subject.names)}.",
            )


# --- actions -------------------------------------------------------------------------------------


def _action(entry: Entry) -> Iterator[MapFinding]:
    match entry.action:
        case Nothing(reason) if not reason.strip():
            yield about(Fault.NO_REASON, entry, "does nothing and gives no reason", "Write the reason.")
        case Manual(instructions) if not instructions.strip():
            yield about(
                Fault.NO_REASON, entry, "leaves it to a person and does not say what to do", "Write what."
            )
        case Retain():
            yield from _retained(entry, entry.action)
        case Anonymise() if not entry.action.strategies:
            yield about(Fault.WRONG_ACTION, entry, "anonymises no field", "Name fields and strategies.")
        case Unset(fields) if not fields:
            yield about(Fault.WRONG_ACTION, entry, "unsets no field", "Name the fields.")
    yield from _fits_locator(entry)


def _retained(entry: Entry, action: Retain) -> Iterator[MapFinding]:
    missing = [name for name in ("article", "basis", "until") if not str(getattr(action, name)).strip()]
    if missing:
        yield about(
            Fault.NO_GROUND,
            entry,
            f"retains data without {', '.join(missing)}",
            "Name the exception of Art. 17(3), the law or claim, and until when; else delete.",
        )


def _fits_locator(entry: Entry) -> Iterator[MapFinding]:
    found = parts(entry.locator)
    if not found and not isinstance(entry.action, Nothing | Manual):
        yield about(Fault.WRONG_ACTION, entry, "has no locator", "Say how one person's data are found.")
    if isinstance(entry.action, Pull) and (len(found) != 1 or not isinstance(found[0], Array)):
        yield about(Fault.WRONG_ACTION, entry, "pulls elements and has no Array locator", "Use Array(...).")
    if isinstance(entry.action, Refresh):
        yield from _fits_view(entry)
    if any(isinstance(one, Array) and "[]" in one.inner for one in found):
        yield about(
            Fault.WRONG_ACTION,
            entry,
            "looks for elements of an array within an array, of which no store gives or takes one",
            "Name the inner array by its dotted path, or leave the entry to a person with Manual(...).",
        )
    if any(isinstance(one, Sessions) for one in found) and not isinstance(entry.action, Delete):
        yield about(Fault.WRONG_ACTION, entry, "changes sessions, which can only be deleted", "Use Delete().")
    if found and isinstance(entry.action, Nothing):
        yield about(
            Fault.WRONG_ACTION, entry, "has a locator, and does nothing", "Leave the locator out, or act."
        )


def _fits_view(entry: Entry) -> Iterator[MapFinding]:
    settings = connections.settings.get(entry.store)
    if settings is None or db.product_of(settings["ENGINE"]) == "mongodb":
        what = f"refreshes {entry.target}, and “{entry.store}” has no materialised views"
        yield about(Fault.WRONG_ACTION, entry, what, "Use another action.")
    elif not isinstance(entry.locator, Key) or entry.locator.where:
        what = "refreshes a view, and its second look can't find a person's rows in it"
        yield about(Fault.WRONG_ACTION, entry, what, "Use Key(column, type) without `where`.")


def _keeps(entry: Entry) -> Iterator[MapFinding]:
    if entry.keeps and not entry.changes_rows:
        what = "keeps fields of what it doesn't change"
        yield about(Fault.WRONG_ACTION, entry, what, "Leave `keeps` out; it goes with what stays.")
    if not all(reason.strip() for reason in entry.keeps):
        yield about(Fault.NO_REASON, entry, "keeps fields and gives no reason", "Write the reason.")
    for name in dict.fromkeys(entry.kept):
        if name in touched(entry.action):
            what = f"keeps {name}, and changes it"
            yield about(Fault.CONTRADICTION, entry, what, "Remove it from one of the two.")


# --- strategies -----------------------------------------------------------------------------------


def _strategies(entry: Entry) -> Iterator[MapFinding]:
    if not isinstance(entry.action, Anonymise | Retain):
        if isinstance(entry.action, Detach):
            yield from _nullable(entry, entry.action.field)
        return
    columns = _columns(entry)
    for name, strategy in entry.action.strategies.items():
        if isinstance(entry.action, Anonymise) and not strategy.irreversible:
            yield about(
                Fault.REVERSIBLE,
                entry,
                f"anonymises {name} by {type(strategy).__name__}, which can be undone",
                "Use a strategy that leads back to nobody; a pseudonym is still personal data.",
            )
        if name in columns:
            yield from _column(entry, columns[name], strategy)


def _nullable(entry: Entry, name: str) -> Iterator[MapFinding]:
    field = _columns(entry).get(name)
    if field is not None and not field.null:
        yield about(
            Fault.DOES_NOT_FIT,
            entry,
            f"detaches {name}, which can't be null",
            "Delete the rows, or let the column be null by a migration.",
        )


def _column(entry: Entry, field: models.Field[Any, Any], strategy: Strategy) -> Iterator[MapFinding]:
    if field.primary_key:
        yield about(Fault.DOES_NOT_FIT, entry, f"writes into the primary key {field.name}", "Leave it out.")
    sample = strategy.replacement("")
    if sample is None and not field.null:
        yield about(
            Fault.DOES_NOT_FIT,
            entry,
            f"sets {field.name} to null, which the column refuses",
            "Use Constant or Redact.",
        )
    if field.max_length and strategy.longest > field.max_length:
        yield about(
            Fault.DOES_NOT_FIT,
            entry,
            f"writes {strategy.longest} characters into {field.name}, which holds {field.max_length}",
            "Use a shorter one.",
        )
    if _is_unique(field) and not strategy.unique:
        yield about(
            Fault.NOT_UNIQUE,
            entry,
            f"writes the same value into every {field.name}, which must be unique",
            "Use RandomToken.",
        )


def _is_unique(field: models.Field[Any, Any]) -> bool:
    alone = [
        constraint
        for constraint in field.model._meta.constraints
        if isinstance(constraint, models.UniqueConstraint) and tuple(constraint.fields) == (field.name,)
    ]
    return field.unique or bool(alone)


def _columns(entry: Entry) -> Mapping[str, models.Field[Any, Any]]:
    """Return the columns of an entry's model; none where another store keeps it."""
    if entry.store not in connections.settings:
        return {}
    try:
        return {field.name: field for field in apps.get_model(entry.target)._meta.concrete_fields}
    except (LookupError, ValueError):
        return {}


def _cycles(data_map: DataMap) -> Iterator[MapFinding]:
    for entry in data_map.entries:
        for what, following in (("derives from", _sources), ("needs the keys of", _needed)):
            if _comes_back(entry, data_map, following):
                yield about(
                    Fault.CYCLE, entry, f"{what} itself, by way of other entries", "Break the circle."
                )


def _sources(entry: Entry) -> tuple[str, ...]:
    return entry.derived_from


def _needed(entry: Entry) -> tuple[str, ...]:
    return needs(entry.locator)


def _comes_back(start: Entry, data_map: DataMap, following: Any) -> bool:
    seen: set[str] = set()
    waiting = list(following(start))
    while waiting:
        entry_id = waiting.pop()
        if entry_id == start.id:
            return True
        if entry_id in data_map.by_id and entry_id not in seen:
            seen.add(entry_id)
            waiting.extend(following(data_map.by_id[entry_id]))
    return False


def _contradictions(data_map: DataMap) -> Iterator[MapFinding]:
    empty = {(entry.store, entry.target) for entry in data_map.entries if isinstance(entry.action, Nothing)}
    for entry in data_map.entries:
        if entry.holds_data and (entry.store, entry.target) in empty:
            yield about(
                Fault.CONTRADICTION,
                entry,
                f"finds data in {entry.target}, of which another entry says that it holds none",
                "Remove one of the two.",
            )
