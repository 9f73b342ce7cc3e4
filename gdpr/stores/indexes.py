"""What a live search server says about the data map: indexes, templates, fields, and how they match."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from gdpr.datamap.actions import touched
from gdpr.datamap.entries import Entry
from gdpr.datamap.findings import Fault, MapFinding, about, no_date
from gdpr.datamap.locators import Array, Key, Path, Rows, parts
from gdpr.datamap.lock import Inventory
from gdpr.stores.index_dates import DATES
from gdpr.stores.mapping import exact_field, field_path, leaves, locator_type, typed
from searchindex.transport import at

if TYPE_CHECKING:
    from searchindex.store import SearchStore

_OF_REVISION = re.compile(r"-\d+$")
# What a definition is tried on: empty, and gone in a moment.
_SCRATCH = re.compile(r"accord-scratch-[0-9a-f]{12}")


class ReachedIndexes(Protocol):
    """How indexes are reached."""

    alias: str
    store: SearchStore

    def concrete(self, entry: Entry) -> Mapping[str, Mapping[str, Any]]:
        """Return every index that holds an entry's documents, with its definition."""
        ...


class LiveIndexes:
    """
    The live indexes of one store.

    Args:
        store: How they are reached.
    """

    def __init__(self, store: ReachedIndexes) -> None:
        self._store = store
        self._alias = store.alias
        self._names = store.store.names

    def inspect(self, entries: Sequence[Entry]) -> Iterator[MapFinding]:
        """Compare entries with the indexes, and look for indexes and templates that have none."""
        found = {entry.id: self._store.concrete(entry) for entry in entries}
        classified = {index for indexes in found.values() for index in indexes}
        yield from self._unclassified(classified, entries)
        for entry in entries:
            if not found[entry.id] and not self._templates_of(entry):
                yield about(Fault.NO_TARGET, entry, f"names {entry.target}, which the server does not have")
            for index, definition in found[entry.id].items():
                if entry.is_looked_at:
                    properties = definition.get("mappings", {}).get("properties", {})
                    yield from self._entry(entry, index, properties)

    def inventory(self, entries: Sequence[Entry]) -> Inventory:
        """Return the properties of each entry's indexes, and of the templates of those that will come."""
        found: dict[str, Mapping[str, str]] = {}
        for entry in entries:
            mappings = [definition.get("mappings", {}) for definition in self._store.concrete(entry).values()]
            mappings += [one["template"].get("mappings", {}) for one in self._templates_of(entry)]
            fields = typed([mapping.get("properties", {}) for mapping in mappings])
            if fields:
                found[entry.target] = fields
        return found

    # --- completeness --------------------------------------------------------------------------------

    def _unclassified(self, classified: set[str], entries: Sequence[Entry]) -> Iterator[MapFinding]:
        for index, aliases in sorted(self._indexes.items()):
            if index not in classified:
                yield self._missing("index", index, next(iter(sorted(aliases)), index))
        patterns = {self._names.alias(entry.target) for entry in entries}
        for template, wanted in sorted(self._templates.items()):
            if not patterns.intersection(wanted):
                yield self._missing("template", template, wanted[0])

    def _missing(self, kind: str, name: str, alias: str) -> MapFinding:
        target = _OF_REVISION.sub("", alias.removeprefix(self._names.prefix))
        return MapFinding(
            fault=Fault.UNCLASSIFIED,
            message=f"The {kind} {name} of “{self._alias}” has no entry in the data map.",
            hint=f'Add an Entry for "{target}" to a privacy.py; Nothing(reason) is one.',
            store=self._alias,
            target=target,
        )

    @cached_property
    def _indexes(self) -> Mapping[str, Sequence[str]]:
        transport = self._store.store.transport
        pattern = f"{self._names.prefix}*"
        listed = transport.find(f"{at(pattern, '_alias')}?expand_wildcards=all") or {}
        ledger = self._store.store.ledger.name
        return {
            index: list(found["aliases"])
            for index, found in listed.items()
            if not index.startswith(".")
            and not _SCRATCH.fullmatch(index.removeprefix(self._names.prefix))
            and index != ledger
            and ledger not in found["aliases"]
        }

    @cached_property
    def _templates(self) -> Mapping[str, Sequence[str]]:
        if not self._names.prefix:
            # Without a prefix, the templates of the server's own features are among them.
            return {}
        found = self._store.store.transport.find(at("_index_template", f"{self._names.prefix}*")) or {}
        return {
            one["name"]: one["index_template"]["index_patterns"] for one in found.get("index_templates", ())
        }

    def _templates_of(self, entry: Entry) -> Sequence[Mapping[str, Any]]:
        name = self._names.alias(entry.target)
        return [
            {"template": {}, **one["index_template"]}
            for one in self._every_template
            if name in one["index_template"]["index_patterns"]
        ]

    @cached_property
    def _every_template(self) -> Sequence[Mapping[str, Any]]:
        found = self._store.store.transport.find("/_index_template") or {}
        return list(found.get("index_templates", ()))

    # --- one entry -----------------------------------------------------------------------------------

    def _entry(self, entry: Entry, index: str, properties: Mapping[str, Any]) -> Iterator[MapFinding]:
        known = set(leaves(properties)) | {"_id"}
        for path in dict.fromkeys((*entry.fields, *touched(entry.action), *entry.kept)):
            if path.replace("[]", "") not in known:
                yield about(Fault.NO_FIELD, entry, f"names the field {path}, which {index} does not have")
        yield from self._dates(entry, index, properties)
        for locator in parts(entry.locator):
            if not isinstance(locator, Key | Path | Array | Rows) or getattr(locator, "where", None):
                yield about(
                    Fault.WRONG_ACTION,
                    entry,
                    f"looks by {type(locator).__name__} in a way that only tables can be searched by",
                    "Use Key, Path, Array or Rows without `where` for indexes.",
                )
            elif field_path(locator) != "_id":
                yield from self._field(entry, index, properties, locator)

    def _dates(self, entry: Entry, index: str, properties: Mapping[str, Any]) -> Iterator[MapFinding]:
        kinds = typed([properties])
        for path in entry.dates:
            if path not in kinds:
                yield about(Fault.NO_FIELD, entry, f"counts from {path}, which {index} does not have")
            elif kinds[path] not in DATES:
                yield no_date(entry, path, kinds[path])

    def _field(
        self, entry: Entry, index: str, properties: Mapping[str, Any], locator: Key | Path | Array | Rows
    ) -> Iterator[MapFinding]:
        path = field_path(locator)
        field = exact_field(properties, path, locator_type(locator))
        if not field.type and not field.problem:
            yield about(Fault.NO_FIELD, entry, f"looks at the field {path}, which {index} does not have")
        elif field.problem:
            is_type = "of type" in field.problem
            yield about(
                Fault.WRONG_KEY_TYPE if is_type else Fault.NOT_EXACT,
                entry,
                f"can't match {path} of {index} exactly: {field.problem}",
                "Declare the type that is stored."
                if is_type
                else "Give the field a keyword sub-field, by a revision that copies the index.",
            )
