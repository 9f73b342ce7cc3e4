"""
Erasing from external places: what a class of the project finds, deletes and verifies.

Ids are what a deletion is given, so that it touches what was found and nothing else: rows that came later
under a key that somebody else has by now are told apart here as in every other store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from gdpr.datamap.actions import Delete
from gdpr.datamap.entries import Entry
from gdpr.datamap.externals import ExternalPlace, made
from gdpr.datamap.findings import Fault, MapFinding, about
from gdpr.datamap.keys import Plain, variants
from gdpr.datamap.locators import External
from gdpr.datamap.lock import Inventory
from gdpr.datamap.map import load_data_map
from gdpr.datamap.subjects import Keys
from gdpr.errors import DeletionQueued, ExternalFailed, ExternalNonsense, InvalidDataMap
from gdpr.stores.base import Erased, ErasureStore, Found, IndexUse
from gdpr.stores.calls import called, count_of, ids_of, text_of
from gdpr.stores.scrubs import Scrubbed

_Answer = TypeVar("_Answer")


class ExternalErasure:
    """
    The entries of one external place.

    Args:
        alias: Its name, `external:` included.
        entries: What the data map says of it.
    """

    def __init__(self, alias: str, entries: Sequence[Entry]) -> None:
        self.alias = alias
        self._entries = entries
        self._places: dict[str, ExternalPlace] = {}

    # --- ErasureStore ------------------------------------------------------------------------

    def find(self, entry: Entry, keys: Keys) -> Found:
        # Without a sample: an id may be an address or a name.
        count = len(self._there(entry, keys))
        return Found(count=count, pending=count if isinstance(entry.action, Delete) else 0)

    def collect(self, entry: Entry, keys: Keys) -> Mapping[str, list[Plain]]:
        return {entry.id: [*self._there(entry, keys)]}

    def tally(self, entry: Entry, keys: Keys, *, pending: bool = False) -> Mapping[str, int] | None:
        return None

    def collect_by_key(self, entry: Entry, keys: Keys) -> Mapping[str, list[Plain]] | None:
        return None

    def erase(self, entry: Entry, keys: Keys, limit: int) -> Erased:
        batch = self._there(entry, keys)[:limit] if isinstance(entry.action, Delete) else []
        if not batch:
            return Erased(matched=0, affected=0, done=True)
        taken = self._deleted(entry, batch)
        left = self._there(entry, keys)
        gone = len({*batch} - {*left})
        if taken and not gone:
            raise DeletionQueued(
                f"The place of {entry.id} has taken the deletion, and still has what was to go.",
                hint="It is asked again later; nothing is complete before it has done so.",
            )
        return Erased(matched=len(batch), affected=gone, done=not left)

    def residue(self, entry: Entry, keys: Keys) -> int:
        if not isinstance(entry.action, Delete):
            return 0
        return len({*self._ids(entry, keys, "verify")} - {*map(str, keys.apart(entry.id))})

    def export(self, entry: Entry, keys: Keys) -> Iterator[Mapping[str, Any]]:
        ids = self._there(entry, keys)
        export = getattr(self._place(entry), "export", None)
        if not ids or export is None:
            yield from ({"id": one} for one in ids)
            return
        rows = self._call(entry, "export", lambda: list(export(ids)))
        if not all(isinstance(row, Mapping) for row in rows):
            raise ExternalNonsense(
                f"The export of {entry.id} gave something else than rows with names.",
                hint="Give a dictionary for each thing.",
            )
        yield from rows

    def explain(self, entry: Entry, keys: Keys) -> IndexUse:
        return IndexUse(uses_index=True, detail="asked by the project's own code")

    def inspect(self, entries: Sequence[Entry]) -> Iterator[MapFinding]:
        for entry in entries:
            yield from self._probed(entry)

    def inventory(self, entries: Sequence[Entry]) -> Inventory:
        return {}

    def scrub(self, entries: Sequence[Entry]) -> Sequence[Scrubbed]:
        return ()

    def some(self, entry: Entry, limit: int) -> Iterator[Mapping[str, object]]:
        return iter(())

    def fingerprint(self) -> str:
        return "; ".join(dict.fromkeys(map(self._where, self._entries)))

    # --- asking ------------------------------------------------------------------------------

    def _there(self, entry: Entry, keys: Keys) -> list[str]:
        """Return what either look knows: of what is only queued, the second alone may know."""
        found = list(dict.fromkeys((*self._ids(entry, keys, "find"), *self._ids(entry, keys, "verify"))))
        only = keys.only(entry.id)
        return found if only is None else [one for one in found if one in only]

    def _ids(self, entry: Entry, keys: Keys, method: str) -> list[str]:
        locator = _locator(entry)
        values = [form for value in keys.values(locator.by) for form in variants(value, locator.type)]
        return self._asked(entry, method, values) if values else []

    def _asked(self, entry: Entry, method: str, values: Sequence[object]) -> list[str]:
        ask = getattr(self._place(entry), method)
        return self._call(entry, method, lambda: ids_of(_name(entry, method), ask(values)))

    def _deleted(self, entry: Entry, ids: Sequence[str]) -> int:
        taken = self._call(entry, "delete", partial(self._place(entry).delete, ids))
        return count_of(_name(entry, "delete"), taken, len(ids))

    def _where(self, entry: Entry) -> str:
        return text_of(_name(entry, "where"), self._call(entry, "where", self._place(entry).where))

    def _call(self, entry: Entry, method: str, act: Callable[[], _Answer]) -> _Answer:
        return called(_name(entry, method), act, _locator(entry).timeout)

    def _place(self, entry: Entry) -> ExternalPlace:
        path = _locator(entry).place
        if path not in self._places:
            self._places[path] = made(path)
        return self._places[path]

    # --- the check ---------------------------------------------------------------------------

    def _probed(self, entry: Entry) -> Iterator[MapFinding]:
        """Ask a class where it is and, of nobody, what is there. Whether it is one, another look tells."""
        try:
            self._where(entry)
            found = [one for method in ("find", "verify") for one in self._asked(entry, method, ())]
        except InvalidDataMap:
            return
        except (ExternalFailed, ExternalNonsense) as exc:
            yield about(Fault.BAD_PLACE, entry, f"can't be asked: {exc.message}", exc.hint)
            return
        if found:
            what = "finds something of nobody: asked without any key it gives ids"
            yield about(Fault.BAD_PLACE, entry, what, "Give nothing where there are no keys.")


def adapter(alias: str) -> ErasureStore:
    """Return the adapter of an external place that the data map names."""
    return ExternalErasure(alias, load_data_map().by_store()[alias])


def _locator(entry: Entry) -> External:
    if not isinstance(entry.locator, External):
        raise InvalidDataMap(
            f"Entry “{entry.id}” names the place {entry.store}, and not what to call there.",
            hint="Give it an External(...) as its locator. See `gdpr_datamap check`.",
        )
    return entry.locator


def _name(entry: Entry, method: str) -> str:
    return f"“{method}” of entry {entry.id}"
