"""Which environment each store says that it belongs to, and letting stores belong to another one."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from accord import conf, lease
from accord.acting import Account, actor
from accord.audit import trail
from accord.audit.events import EventKind, ObjectKind
from accord.clock import Clock
from accord.errors import UnknownStore, UsageError
from accord.identity import MARK, Identity, foreign, identity_if_marked
from accord.models import AuditEvent
from accord.seam.marks import KeepsMarks
from accord.seam.registry import Registry
from accord.seam.types import Lease
from migrator.engine import abandoned
from migrator.engine.gate import Gate
from migrator.governance.work import IdentityWork
from migrator.models import PlanApproval


@dataclass(frozen=True, kw_only=True)
class Told:
    """
    What is known of a store.

    Attributes:
        store: Its alias.
        identity: What it says of itself; None where it says nothing.
        keeps: Whether it can say anything: a mirror can't, nor an adapter without marks.
    """

    store: str
    identity: Identity | None
    keeps: bool


class Environments:
    """
    The stores of one project, and where they belong.

    Args:
        stores: The stores, opened for this piece of work.
        settings: Settings of the suite.
        clock: Time.
    """

    def __init__(self, stores: Registry, settings: conf.AccordSettings, clock: Clock) -> None:
        self._stores = stores
        self._settings = settings
        self._gate = Gate(settings, clock)

    def look(self, only: Collection[str] = ()) -> Sequence[Told]:
        """
        Ask the stores. Nothing is changed.

        Args:
            only: Aliases; none stand for all.

        Raises:
            UnknownStore: One of the aliases isn't configured.
            StoreUnavailable: A store can't be reached.
            MarkNotUnderstood: What one says can't be read.
        """
        chosen = [self._stores[alias] for alias in (only or self._stores)]
        return [
            Told(
                store=store.alias,
                identity=identity_if_marked(store),
                keeps=isinstance(store, KeepsMarks) and store.takes_marks(),
            )
            for store in chosen
        ]

    def work(self, only: Collection[str] = ()) -> IdentityWork:
        """
        Return what a change would do: every store that belongs elsewhere comes to the settings' environment.

        Raises:
            As for :meth:`look`.
        """
        found = {told.store: told.identity for told in self.look(only)}
        strangers = foreign(found, self._settings.environment)
        return IdentityWork(environment=self._settings.environment, stores=tuple(strangers.items()))

    def asks(self, work: IdentityWork) -> bool:
        """Return whether a second person has to approve: where the stores come from, or where they go."""
        concerned = {work.environment, *(own.environment for _, own in work.stores)}
        return any(self._gate.policy_of(name).approval for name in concerned)

    def refuse(self, work: IdentityWork) -> None:
        """
        Ask for what a change needs, before anything is written.

        Raises:
            PlanNotApproved: A second person has to approve.
            UsageError: The tables of the trail aren't there.
        """
        if not self._gate.approvals.exist():
            raise UsageError(
                "The change can't be put on record: the tables of the audit trail aren't there.",
                hint="Let the coordinating database be one that migrate_all has made.",
            )
        if self.asks(work):
            self._gate.approvals.covering(work)

    def change(self, only: Collection[str], person: Account | None) -> Mapping[str, Identity]:
        """
        Let stores belong to the environment that the settings describe, each with a new id.

        Killed, it is called again and goes on.

        Args:
            only: Aliases; none stand for all.
            person: Who does it, for the trail.

        Returns:
            What each store is now that belonged elsewhere.

        Raises:
            PlanNotApproved: A second person has to approve.
            LeaseHeld: Another run holds the lease.
            MarkChanged: Somebody else wrote a store's mark meanwhile.
            StaleFence: A store has seen a later run.
            StoreUnavailable: A store can't be reached.
        """
        with lease.hold(
            abandoned.lease_scope(self._settings),
            alias=self._settings.coordinator,
            run_id=f"environment-{secrets.token_hex(3)}",
            ttl=self._settings.lease_ttl,
            wait=self._settings.lock_wait,
        ) as held:
            work = self.work(only)
            if not work.stores:
                return {}
            self.refuse(work)
            approval = self._gate.approvals.take(work, held.run_id) if self.asks(work) else None
            return {alias: self._move(alias, old, work, held, person, approval) for alias, old in work.stores}

    def _move(
        self,
        alias: str,
        old: Identity,
        work: IdentityWork,
        held: Lease,
        person: Account | None,
        approval: PlanApproval | None,
    ) -> Identity:
        store = self._stores[alias]
        if not isinstance(store, KeepsMarks):
            raise UnknownStore(f"The store “{alias}” keeps no marks.", hint="Its adapter has to keep them.")
        self._record(old, work, person)
        new = Identity.new(work.environment)
        store.write_mark(MARK, new.text, held, expected=old.text)
        if approval is not None:
            self._gate.approvals.strike(approval, [alias])
        return new

    def _record(self, old: Identity, work: IdentityWork, person: Account | None) -> None:
        """Put on record which store is concerned, before it is: after a kill it isn't said a second time."""
        using, event = self._settings.coordinator, EventKind.ENVIRONMENT_CHANGED
        with transaction.atomic(using=using):
            if not AuditEvent.objects.using(using).filter(event=event, object_ref=old.store_id).exists():
                trail.record(
                    event,
                    actor=actor(person),
                    object_kind=ObjectKind.STORE,
                    object_ref=old.store_id,
                    plan_digest=work.digest,
                    using=using,
                )
