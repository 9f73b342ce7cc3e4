"""What nobody has reviewed: fields that came, went or changed since the lock file was written."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from django.apps import apps
from django.db import models

from gdpr.datamap import moved
from gdpr.datamap.entries import Entry
from gdpr.datamap.findings import Fault, MapFinding, about
from gdpr.datamap.lock import SEEN, Fields, Inventory, Lock, kinds, reviewed
from gdpr.datamap.map import DataMap
from gdpr.datamap.presets import is_known

_SETTLE = "Say in the data map what becomes of it; once that is reviewed, run gdpr_datamap freeze."
_FREEZE = moved.FREEZE


def of_map(data_map: DataMap, lock: Lock | None) -> Iterator[MapFinding]:
    """
    Hold the entries against those that were reviewed.

    A second entry for a table leaves no gap in any schema when it is dropped: only this tells.

    Args:
        data_map: The data map.
        lock: What was reviewed; None where there is no lock file.
    """
    if lock is None:
        yield MapFinding(
            fault=Fault.NO_LOCK,
            message="There is no lock file: a new column, field or property would go unnoticed.",
            hint="Review what the stores hold, then write it down: gdpr_datamap freeze.",
        )
        return
    now = reviewed(data_map)
    for entry_id in sorted(lock.entries.keys() | now.keys()):
        if lock.entries.get(entry_id) != now.get(entry_id):
            yield _entry(data_map.by_id.get(entry_id), entry_id, lock.entries.get(entry_id, ""))


def _entry(entry: Entry | None, entry_id: str, before: str) -> MapFinding:
    if entry is None:
        return MapFinding(
            fault=Fault.ENTRY_NOT_REVIEWED,
            message=f"Entry “{entry_id}” was reviewed ({before}), and the data map no longer has it.",
            hint=f"Put it back, or let it go. {_FREEZE}",
            entry=entry_id,
        )
    what = f"was reviewed as “{before}”, and is another now" if before else "has not been reviewed"
    return about(Fault.ENTRY_NOT_REVIEWED, entry, what, _FREEZE)


def of_store(data_map: DataMap, lock: Lock | None, alias: str, live: Inventory) -> Iterator[MapFinding]:
    """
    Hold the fields that a store has against those that were reviewed, and against entries that change rows.

    Args:
        data_map: The data map.
        lock: What was reviewed; None where there is no lock file.
        alias: The store.
        live: What it has.
    """
    entries = data_map.by_store().get(alias, ())
    for entry in entries:
        yield from _unaccounted(entry, live.get(entry.target, {}))
    if lock is not None:
        locked = lock.stores.get(alias, {})
        for target, fields in sorted(live.items()):
            yield from _new(alias, target, fields, locked.get(target, {}))
            yield from _changed(alias, target, fields, locked.get(target, {}))


def of_models(data_map: DataMap, lock: Lock | None) -> Iterator[MapFinding]:
    """
    Look for what models have and nobody has accounted for, without asking any server.

    Args:
        data_map: The data map.
        lock: What was reviewed; None where there is no lock file.
    """
    yield from _without_entry(data_map)
    for entry in data_map.entries:
        fields = {} if is_known(entry) else columns(entry.target)
        yield from _unaccounted(entry, fields)
        if lock is not None and fields:
            locked = lock.stores.get(entry.store, {}).get(entry.target, {})
            yield from _new(entry.store, entry.target, fields, locked)


def columns(label: str) -> Fields:
    """Return the columns of a model's own table, without types; none of what is no model."""
    model = _model(label)
    return {str(field.column): "" for field in model._meta.local_concrete_fields} if model else {}


# --- models ----------------------------------------------------------------------------------------


def _without_entry(data_map: DataMap) -> Iterator[MapFinding]:
    targets = {entry.target for entry in data_map.entries} | {entry.table for entry in data_map.entries}
    before = moved.by_label(data_map.entries)
    for model in apps.get_models(include_auto_created=True):
        meta = model._meta
        # Whether there is a table for a model that Django doesn't manage, only the database knows.
        if meta.managed and not meta.proxy and not targets & {meta.label, meta.db_table}:
            yield MapFinding(
                fault=Fault.UNCLASSIFIED,
                message=f"The model {meta.label} has no entry in the data map.",
                hint=moved.entry_for(meta.label, before.get(meta.label)),
                target=meta.label,
            )


def _model(label: str) -> type[models.Model] | None:
    try:
        return apps.get_model(label)
    except (LookupError, ValueError):
        return None


# --- fields ----------------------------------------------------------------------------------------


def _unaccounted(entry: Entry, fields: Collection[str]) -> Iterator[MapFinding]:
    if not entry.changes_rows:
        return
    spellings = _spellings(_model(entry.target))
    for path in fields:
        names = {path, *spellings.get(path, ())}
        if not any(_overlap(name, said) for name in names for said in entry.accounted):
            yield about(
                Fault.NEW_FIELD,
                entry,
                f"changes what it finds in {entry.target}, and does not say what becomes of {path}",
                f'Name it in the action, or say why it stays: keeps={{"reason": ("{path}",)}}.',
            )


def _spellings(model: type[models.Model] | None) -> Mapping[str, Sequence[str]]:
    fields = model._meta.local_concrete_fields if model else ()
    return {str(field.column): (field.name, field.attname) for field in fields}


def _overlap(path: str, said: str) -> bool:
    """Return whether two paths are the same, or one lies within the other."""
    one, other = path.replace("[]", ""), said.replace("[]", "")
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")


def _new(alias: str, target: str, fields: Fields, locked: Fields) -> Iterator[MapFinding]:
    if fields and not locked:
        yield _finding(Fault.NEW_FIELD, alias, target, f"No field of {target} has been reviewed", _FREEZE)
        return
    for path in fields:
        if path not in locked:
            what = f"The field {path} of {target} is new: it has not been reviewed"
            yield _finding(Fault.NEW_FIELD, alias, target, what, _SETTLE)


def _changed(alias: str, target: str, fields: Fields, locked: Fields) -> Iterator[MapFinding]:
    for path, before in locked.items():
        now = fields.get(path)
        if now is None:
            if not before.endswith(SEEN):
                what = f"The field {path} of {target}, which was reviewed, is gone"
                yield _finding(Fault.FIELD_GONE, alias, target, what, _FREEZE)
        elif _is_retyped(before, now):
            what = f"The field {path} of {target} was reviewed as {before}, and is {now}"
            yield _finding(Fault.FIELD_RETYPED, alias, target, what, _SETTLE)


def _is_retyped(before: str, now: str) -> bool:
    if before.endswith(SEEN) and now.endswith(SEEN):
        return not kinds(now) <= kinds(before)
    return before != now


def _finding(fault: Fault, alias: str, target: str, what: str, hint: str) -> MapFinding:
    return MapFinding(fault=fault, message=f"{what} (“{alias}”).", hint=hint, store=alias, target=target)
