"""Taking the suite out of every store of a project: what it keeps for itself, and nothing that steps made."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from accord import conf, lease, lease_row
from accord.errors import LeaseHeld
from accord.identity import identity_if_marked, refuse_foreign
from accord.process import describe
from accord.seam.registry import Registry
from accord.seam.stores import read_ledger
from accord.seam.traces import LeavesTraces, Trace
from accord.seam.types import Lease
from migrator.engine import abandoned
from migrator.errors import StepsUnderWay


@dataclass(frozen=True, kw_only=True)
class Kept:
    """
    Something that the suite keeps.

    Attributes:
        store: Alias of the store.
        trace: What it is, with its number.
    """

    store: str
    trace: Trace


class Uninstall:
    """
    One project that the suite is taken out of.

    Args:
        stores: The stores, opened for this piece of work.
        settings: Settings of the suite.
    """

    def __init__(self, stores: Registry, settings: conf.AccordSettings) -> None:
        self._stores = stores
        self._settings = settings

    def look(self) -> Sequence[Kept]:
        """
        Look in every store what the suite keeps there, the lease last. Nothing is changed.

        Raises:
            StoreUnavailable: A store can't be reached.
            ConfigurationError: What it keeps in one can't be told.
        """
        found = [Kept(store=alias, trace=one) for alias, store in self._leaving() for one in store.traces()]
        coordinator = self._settings.coordinator
        if lease_row.table_exists(coordinator):
            number = len(lease_row.rows(coordinator))
            trace = Trace(what=f"table {lease_row.TABLE}", number=number, unit="row")
            found.append(Kept(store=coordinator, trace=trace))
        return found

    def silent_stores(self) -> Sequence[str]:
        """Return the stores whose adapters can't tell what the suite keeps in them."""
        return [alias for alias, store in self._stores.items() if not isinstance(store, LeavesTraces)]

    def refuse(self) -> None:
        """
        Make sure that the stores are ours, nobody works in them, and nothing is half done.

        Raises:
            ForeignEnvironment: A store belongs to another environment than the settings describe.
            LeaseHeld: A run holds a lease.
            StepsUnderWay: A step was begun and did not end.
        """
        told = {alias: identity_if_marked(store) for alias, store in self._stores.items()}
        refuse_foreign(told, self._settings.environment)
        for scope, row in lease_row.rows(self._settings.coordinator):
            if row.held and not row.holder_is_dead:
                raise LeaseHeld(
                    f"The lease “{scope}” is held by run {row.run_id} ({describe(row.owner)}).",
                    hint="Let that run end, or stop it, then run this again.",
                )
        begun = [key for store in self._stores.values() for key in read_ledger(store).begun]
        if begun:
            named = ", ".join(str(key) for key in sorted(begun))
            raise StepsUnderWay(
                f"Begun, and not ended: {named}. Without its ledger nobody could go on with it, or undo it.",
                hint="End it with migrate_all, or undo it: migrate_all --revert --step STEP",
            )

    def take_out(self, *, evidence: bool) -> None:
        """
        Take it out of every store, the coordinator last. Started again, it goes on.

        Args:
            evidence: Take the evidence, too.

        Raises:
            LeaseHeld: A run holds the lease.
            LeaseLost: The lease was lost on the way; what is out stays out.
            StoreError: A store refuses.
        """
        self.refuse()
        coordinator = self._settings.coordinator
        with lease.hold(
            abandoned.lease_scope(self._settings),
            alias=coordinator,
            run_id=f"uninstall-{secrets.token_hex(3)}",
            ttl=self._settings.lease_ttl,
            wait=0,
        ) as held:
            self._take_out(held, evidence=evidence)
            held.check()
            lease_row.drop_table(coordinator)

    def _take_out(self, held: Lease, *, evidence: bool) -> None:
        for _, store in sorted(self._leaving(), key=lambda one: one[0] == self._settings.coordinator):
            store.take_out(held, evidence=evidence)

    def _leaving(self) -> Sequence[tuple[str, LeavesTraces]]:
        return [(alias, store) for alias, store in self._stores.items() if isinstance(store, LeavesTraces)]
