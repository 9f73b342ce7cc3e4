"""
The lock file: which entries and which fields of every place were there when somebody last reviewed them.

It lies beside the project and is committed. One line for each field, in a fixed order, so that a review
reads what came, and two branches that add to different places merge.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from accord import conf
from gdpr.datamap import actions
from gdpr.datamap.entries import Entry
from gdpr.datamap.map import DataMap
from gdpr.datamap.presets import is_known
from gdpr.errors import InvalidDataMap

SCHEMA = "accord.datamap-lock/1"
SEEN = " (seen)"
"""Behind the type of a field that no schema declares: documents had it, others need not."""

Fields = Mapping[str, str]
"""Fields of one place and their types: columns, dotted paths, properties."""
Inventory = Mapping[str, Fields]
"""Places of one store, by the target of their entries."""


@dataclass(frozen=True, kw_only=True)
class Lock:
    """
    What was reviewed.

    Attributes:
        entries: Id of each entry to what it does where.
        stores: Alias of each store to the fields of its places.
    """

    entries: Mapping[str, str] = field(default_factory=dict)
    stores: Mapping[str, Inventory] = field(default_factory=dict)


def location() -> Path:
    """Return where the lock file is: `ACCORD["DATAMAP_LOCK"]`, from `BASE_DIR` on."""
    return conf.base_dir() / conf.load().datamap_lock


def load() -> Lock | None:
    """Read the project's lock file. See :func:`read`."""
    return read(location())


def read(path: Path) -> Lock | None:
    """
    Read a lock file.

    Args:
        path: Where it is.

    Returns:
        None where there is none.

    Raises:
        InvalidDataMap: It is not what `gdpr_datamap freeze` writes.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        return _parsed(json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        raise InvalidDataMap(
            f"{path.name}, the lock file of the data map, can't be read: {type(exc).__name__}.",
            hint="Resolve what a merge left in it, or take it away and write it anew: gdpr_datamap freeze.",
        ) from exc


def _parsed(raw: Mapping[str, Any]) -> Lock:
    if raw["schema"] != SCHEMA:
        raise ValueError(raw["schema"])
    stores = {
        alias: {target: _texts(fields) for target, fields in places.items()}
        for alias, places in raw["stores"].items()
    }
    return Lock(entries=_texts(raw["entries"]), stores=stores)


def _texts(raw: Mapping[str, Any]) -> Mapping[str, str]:
    if not all(isinstance(value, str) for value in raw.values()):
        raise TypeError
    return dict(raw)


def written(lock: Lock) -> str:
    """Write a lock as text: the same lock, the same text."""
    document = {"schema": SCHEMA, "entries": lock.entries, "stores": lock.stores}
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def reviewed(data_map: DataMap) -> Mapping[str, str]:
    """Describe the entries of a data map as a lock has them; those that every project has are left out."""
    return {entry.id: _described(entry) for entry in data_map.entries if not is_known(entry)}


def _described(entry: Entry) -> str:
    return f"{actions.name(entry.action)} {entry.store} {entry.target}"


def frozen(before: Lock | None, data_map: DataMap, live: Mapping[str, Inventory]) -> Lock:
    """
    Return the lock that says that everything was reviewed.

    Args:
        before: The lock until now.
        data_map: The data map.
        live: What the stores have that were asked; of others, what was reviewed stays.
    """
    known = before or Lock()
    declared = data_map.by_store()
    kept = {
        alias: places for alias, places in known.stores.items() if alias in declared and alias not in live
    }
    # An external place has no fields: of those, nothing is held but that there is an entry.
    asked = {
        alias: _with_seen(known.stores.get(alias, {}), places) for alias, places in live.items() if places
    }
    return Lock(entries=reviewed(data_map), stores={**kept, **asked})


def _with_seen(before: Inventory, now: Inventory) -> Inventory:
    """Keep what documents had once: that none of a few has it today says nothing."""
    return {target: _joined(before.get(target, {}), fields) for target, fields in now.items() if fields}


def _joined(before: Fields, now: Fields) -> Fields:
    seen = {path: kind for path, kind in before.items() if kind.endswith(SEEN)}
    both = {
        path: either(seen[path], kind) for path, kind in now.items() if path in seen and kind.endswith(SEEN)
    }
    return {**seen, **now, **both}


def either(one: str, other: str) -> str:
    """Return the type of a field that documents had with either type."""
    return "|".join(sorted(kinds(one) | kinds(other))) + SEEN


def kinds(kind: str) -> frozenset[str]:
    """Return the types that a field may have."""
    return frozenset(kind.removesuffix(SEEN).split("|"))


def changes(before: Lock | None, after: Lock) -> Iterator[str]:
    """Yield a line for each field and entry that comes (+) or goes (-), in a fixed order."""
    old, new = _lines(before or Lock()), _lines(after)
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield from (f"- {name}: {old[name]}",) if name in old else ()
            yield from (f"+ {name}: {new[name]}",) if name in new else ()


def _lines(lock: Lock) -> Mapping[str, str]:
    entries = {f"entry {entry_id}": does for entry_id, does in lock.entries.items()}
    fields = {
        f"{alias} {target} {path}": kind
        for alias, places in lock.stores.items()
        for target, found in places.items()
        for path, kind in found.items()
    }
    return {**entries, **fields}
