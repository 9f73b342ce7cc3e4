"""How much of what the stores hold is classified: the data map held against each live store, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from accord.health.runner import TIMEOUT, Check, Finding, run_checks
from gdpr.datamap import lock, review
from gdpr.datamap.entries import Entry, document
from gdpr.datamap.findings import Fault, MapFinding, MapLevel
from gdpr.datamap.lock import Lock
from gdpr.datamap.map import DataMap
from gdpr.datamap.static import static_findings
from gdpr.stores.base import ErasureStore, opened_stores

SCHEMA = "accord.datamap/1"
_PREFIX = "datamap."


@dataclass(frozen=True, kw_only=True)
class StoreCoverage:
    """
    What one store said.

    Attributes:
        alias: Its name in the settings.
        entries: What the data map says of it.
        findings: What is wrong with that.
        trouble: Why it could not be asked; empty when it answered.
        hint: What to do about that.
    """

    alias: str
    entries: tuple[Entry, ...]
    findings: tuple[MapFinding, ...]
    trouble: str = ""
    hint: str = ""

    @property
    def classified(self) -> int:
        """How many of its tables, collections or indexes have an entry."""
        gone = {finding.target for finding in self.findings if finding.fault is Fault.NO_TARGET}
        return len({entry.target for entry in self.entries} - gone)

    @property
    def total(self) -> int:
        """How many tables, collections or indexes it has."""
        return self.classified + sum(finding.fault is Fault.UNCLASSIFIED for finding in self.findings)


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """
    What all stores said.

    Attributes:
        data_map: What was compared.
        stores: One for each store that the data map or the settings know, in the order of an erasure.
        general: What is wrong with the data map, and is about no store.
    """

    data_map: DataMap
    stores: tuple[StoreCoverage, ...]
    general: tuple[MapFinding, ...]

    @property
    def answered(self) -> Sequence[StoreCoverage]:
        """The stores that could be asked."""
        return [store for store in self.stores if not store.trouble]

    @property
    def away(self) -> Sequence[StoreCoverage]:
        """The stores that could not."""
        return [store for store in self.stores if store.trouble]

    @property
    def classified(self) -> int:
        """How many places have an entry, in the stores that answered."""
        return sum(store.classified for store in self.answered)

    @property
    def total(self) -> int:
        """How many places the stores have that answered."""
        return sum(store.total for store in self.answered)

    @property
    def findings(self) -> Sequence[MapFinding]:
        """Everything that is wrong."""
        return [*self.general, *(finding for store in self.stores for finding in store.findings)]

    @property
    def errors(self) -> int:
        """How many findings say that an erasure would miss data, fail, or say something untrue."""
        return sum(finding.level is MapLevel.ERROR for finding in self.findings)


def check(data_map: DataMap, stores: Iterable[ErasureStore] = ()) -> list[MapFinding]:
    """
    Look for everything that would make an erasure miss something, fail, or say something untrue.

    Args:
        data_map: The data map.
        stores: Stores whose live schemas are compared; none for what needs no server.

    Raises:
        StoreUnavailable: A store can't be reached.
    """
    found = list(static_findings(data_map))
    for store in stores:
        found.extend(store.inspect(data_map.by_store().get(store.alias, ())))
    return found


def unreviewed(
    data_map: DataMap, frozen: Lock | None, stores: Iterable[ErasureStore] = ()
) -> list[MapFinding]:
    """
    Look for entries and fields that came, went or changed since somebody reviewed them.

    Args:
        data_map: The data map.
        frozen: What was reviewed; None where there is no lock file.
        stores: Stores whose fields are compared; none for what models alone can tell.

    Raises:
        StoreUnavailable: A store can't be reached.
    """
    asked = list(stores)
    # What models say is what the servers say, or will once they are migrated.
    found = [*review.of_map(data_map, frozen), *(() if asked else review.of_models(data_map, frozen))]
    for store in asked:
        live = store.inventory(data_map.by_store().get(store.alias, ()))
        found.extend(review.of_store(data_map, frozen, store.alias, live))
    return list(dict.fromkeys(found))


def open_findings(data_map: DataMap, stores: Mapping[str, ErasureStore]) -> list[MapFinding]:
    """
    Look for what an erasure by this map would miss, fail at, or say something untrue of.

    Args:
        data_map: The data map.
        stores: Every store that something can be erased from, by alias.

    Raises:
        StoreUnavailable: A store can't be reached, so that nobody knows what it holds.
    """
    asked = list(stores.values())
    found = [*check(data_map, asked), *unreviewed(data_map, lock.load(), asked)]
    return [finding for finding in found if finding.level is MapLevel.ERROR]


def look(data_map: DataMap, *, timeout: float = TIMEOUT) -> Coverage:
    """
    Compare a data map with every store; one that is unavailable or silent keeps no other from a look.

    Args:
        data_map: The data map.
        timeout: Seconds after which a store that doesn't answer counts as away.
    """
    frozen = lock.load()
    declared = (*static_findings(data_map), *review.of_map(data_map, frozen))
    found: dict[str, tuple[MapFinding, ...]] = {}
    by_store = data_map.by_store()
    with opened_stores() as known:
        aliases = tuple(dict.fromkeys((*by_store, *known)))
    # Names of their own: what hangs here must not keep a health check of the same store away.
    checks = [
        Check(name=_PREFIX + alias, look=partial(_inspect, alias, data_map, frozen, found))
        for alias in aliases
    ]
    troubles = {answer.name: answer for answer in run_checks(checks, timeout=timeout).findings}
    stores = tuple(
        _store(
            alias, by_store.get(alias, ()), (*declared, *found.get(alias, ())), troubles.get(_PREFIX + alias)
        )
        for alias in aliases
    )
    return Coverage(
        data_map=data_map, stores=stores, general=tuple(one for one in declared if one.store not in aliases)
    )


def _inspect(
    alias: str, data_map: DataMap, frozen: Lock | None, into: dict[str, tuple[MapFinding, ...]]
) -> Iterable[Finding]:
    with opened_stores() as stores:
        # Of an alias that nothing can be erased from, the declarations' own check says so at each entry.
        if alias in stores:
            entries = data_map.by_store().get(alias, ())
            live = stores[alias].inventory(entries)
            fields = review.of_store(data_map, frozen, alias, live)
            into[alias] = (*stores[alias].inspect(entries), *fields)
    return ()


def _store(
    alias: str, entries: Sequence[Entry], findings: Iterable[MapFinding], trouble: Finding | None
) -> StoreCoverage:
    return StoreCoverage(
        alias=alias,
        entries=tuple(entries),
        findings=tuple(finding for finding in findings if finding.store == alias),
        trouble="" if trouble is None else trouble.message,
        hint="" if trouble is None else trouble.hint,
    )


# --- as JSON ---------------------------------------------------------------------------------------


def check_document(data_map: DataMap, findings: Sequence[MapFinding]) -> dict[str, Any]:
    """Describe findings for JSON answers."""
    return {
        "schema": SCHEMA,
        "digest": data_map.digest,
        "entries": len(data_map.entries),
        "findings": [_plain(finding) for finding in findings],
    }


def map_document(data_map: DataMap, entries: Sequence[Entry]) -> dict[str, Any]:
    """Describe the data map for JSON answers."""
    subject = data_map.subject
    kinds = [{"kind": one.called, "model": one.model, "keys": list(one.names)} for one in data_map.several]
    return {
        "schema": SCHEMA,
        "digest": data_map.digest,
        "subject": None if subject is None else {"model": subject.model, "keys": list(subject.names)},
        **({"subjects": kinds} if kinds else {}),
        "entries": [document(entry) for entry in entries],
    }


def coverage_document(coverage: Coverage) -> dict[str, Any]:
    """Describe the data map and what the stores said of it for JSON answers."""
    return {
        **map_document(coverage.data_map, coverage.data_map.entries),
        "classified": coverage.classified,
        "total": coverage.total,
        "stores": [
            {
                "store": store.alias,
                "answered": not store.trouble,
                "trouble": store.trouble,
                "classified": store.classified,
                "total": store.total,
            }
            for store in coverage.stores
        ],
        "findings": [_plain(finding) for finding in coverage.findings],
    }


def _plain(finding: MapFinding) -> Mapping[str, str]:
    return {
        "id": finding.fault.value,
        "level": finding.level.value,
        "store": finding.store,
        "target": finding.target,
        "entry": finding.entry,
        "message": finding.message,
        "hint": finding.hint,
    }
