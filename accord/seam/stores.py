"""
The seam between the engine and the stores.

A store implements :class:`Store`. Further powers are further Protocols, found at
run time with `isinstance`: an adapter has those that its server allows. One conformance
suite (tests/conformance) runs against every adapter.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from accord.events import Reporter, silent
from accord.seam.types import (
    AppliedStep,
    Direction,
    Lease,
    Origin,
    Probe,
    Recorded,
    Shown,
    Statement,
    Step,
    StepKey,
    StepOutcome,
)


@dataclass(frozen=True, kw_only=True)
class StoreInfo:
    """
    What a store says of itself.

    Attributes:
        alias: The store.
        kind: Product in the product's own words (`PostgreSQL`).
        version: Version in the product's own words.
        address: Host and port, without credentials.
        detail: What else matters (`replica set rs0`).
    """

    alias: str
    kind: str
    version: str
    address: str = ""
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class StoreFeatures:
    """What the engine may expect of a store. Ask these, never a vendor's name."""

    # Can a step and its ledger entry be one transaction of the store?
    records_atomically: bool = False
    # Can it undo steps at all?
    supports_revert: bool = True
    # May an app have several newest steps (branches) without that being a conflict?
    allows_branches: bool = False
    # Does it use connections that belong to the calling thread, so that it is asked in that thread?
    thread_bound: bool = False
    # Do its steps use what a process has once (Alembic's `op`), so that they run in the calling thread?
    process_wide: bool = False
    # May a step be recorded on an operator's word alone (Django's --fake)?
    allows_fake: bool = False
    # Is all that it holds made from what other stores hold, so that losing it loses nothing?
    derived: bool = False
    # Must every app's steps be numbered without two of the same number?
    numbers_are_unique: bool = True
    # Which command of manage.py brings two newest steps of an app together, where one does?
    merged_by: str = ""


@runtime_checkable
class Store(Protocol):
    """
    One configured store.

    Attributes:
        alias: Name in the settings and in step keys.
        features: What the engine may expect.
    """

    alias: str
    features: StoreFeatures

    def ping(self) -> StoreInfo:
        """
        Return what the server says it is.

        Raises:
            StoreUnavailable: It can't be reached, refuses us, or isn't supported.
        """
        ...

    def steps(self) -> Sequence[Step]:
        """
        Read the steps from disk. The server is not touched.

        Raises:
            RevisionError: A file can't be used.
        """
        ...

    def applied(self) -> Mapping[StepKey, AppliedStep]:
        """
        Read the ledger. Nothing is created; a server without a ledger has none applied.

        A step whose revert was begun and did not end is among them, and says so.

        Raises:
            StoreUnavailable: It can't be reached.
        """
        ...

    def apply(self, step: Step, lease: Lease, report: Reporter = silent) -> StepOutcome:
        """
        Apply a step and record it. Idempotent, also after a kill at any point.

        Raises:
            StaleFence: The store has seen a later fencing token. Nothing was changed.
            LeaseLost: The lease was lost between two batches.
            AccordError: The step failed; it is not recorded as applied.
        """
        ...

    def revert(self, step: Step, lease: Lease, report: Reporter = silent) -> StepOutcome:
        """
        Undo a step and strike it from the ledger. Idempotent, also after a kill at any point.

        Of one whose effect was found (:func:`accord.seam.origins.was_found`) the line goes alone.

        Raises:
            IrreversibleStep: The step can't be undone. Nothing was changed.
            StaleFence: As for :meth:`apply`.
            AccordError: The revert failed; the step stays recorded.
        """
        ...


@runtime_checkable
class NamesLedger(Protocol):
    """A class of stores that tells from the settings alone where a store keeps its ledger."""

    @staticmethod
    def ledger_place(alias: str, options: Mapping[str, object]) -> str:
        """
        Return the place, without credentials: two stores of one place would take each other's entries.

        Raises:
            ConfigurationError: The options can't be used.
        """
        ...


@runtime_checkable
class HasTestStore(Protocol):
    """
    A class of stores of which tests get one of their own; see :mod:`accord.isolation`.

    A class without it is given the options of `TEST` in the place of those of the same names.
    """

    @staticmethod
    def test_options(
        alias: str, options: Mapping[str, object], test: Mapping[str, object], suffix: str
    ) -> Mapping[str, object]:
        """
        Return the options of the test store. No server is asked.

        Args:
            alias: Alias of the store.
            options: Options of the real store.
            test: What `TEST` says about the test store; may be empty.
            suffix: Tells this worker's test store from those of its siblings; may be empty.

        Raises:
            ConfigurationError: `TEST` can't be used.
        """
        ...

    @staticmethod
    def overlaps(test: Mapping[str, object], real: Mapping[str, object]) -> bool:
        """Return whether emptying a test store could touch what a real one holds, by their options."""
        ...

    def make_test_store(self, *, keep: bool) -> None:
        """
        Make the test store, empty: what an earlier run of tests left goes.

        Args:
            keep: Leave what an earlier run of tests left.

        Raises:
            ConfigurationError: Something stands there that isn't a test store of ours. Nothing was changed.
            StoreUnavailable: The server can't be reached.
        """
        ...

    def drop_test_store(self) -> None:
        """Remove the test store. Idempotent."""
        ...


@runtime_checkable
class Orders(Protocol):
    """A store whose steps go in an order of its own, wherever dependencies leave it open."""

    def order(self, applied: Collection[StepKey]) -> Sequence[StepKey]:
        """
        Return the steps in that order. Asked after :meth:`Store.steps`; the server is not touched.

        Args:
            applied: Keys in the ledgers, those of other stores among them.

        Returns:
            Keys so that none comes before one of this store that it needs; there may be others
            among them than those of :meth:`Store.steps`.

        Raises:
            RevisionError: The files don't form a graph.
        """
        ...


@runtime_checkable
class KnowsApps(Protocol):
    """A store whose steps belong to apps, which one settings module installs and another doesn't."""

    def why_absent(self, key: StepKey) -> str:
        """
        Tell why a step that the ledger holds isn't declared here, though nobody lost its file.

        Returns:
            A clause about the step's app; empty where the file should be there. No server is asked.
        """
        ...


@runtime_checkable
class Explains(Protocol):
    """A store that can show what steps would send, without sending it."""

    def explain(
        self, steps: Sequence[Step], direction: Direction
    ) -> Iterator[tuple[Step, Sequence[Statement]]]:
        """
        Render steps in the order given, as if they ran one after the other.

        Args:
            steps: Steps of this store.
            direction: Which way they would go.

        Returns:
            Each step with its statements; lazily, so that memory stays flat.
        """
        ...


def shown_of(store: object, alias: str, shown: Shown) -> Shown | None:
    """Return what a store showed of its own steps; None where it shows none, or nobody asked."""
    own = [one for one in shown if one[0].key.store == alias]
    return own if own and isinstance(store, Explains) else None


@runtime_checkable
class Records(Protocol):
    """A store whose ledger can be written without acting (baseline, fake)."""

    def record(self, step: Step, lease: Lease, how: Origin = Origin.ADOPTED) -> None:
        """Write a step into the ledger as applied, with how it came there, leaving the data alone."""
        ...

    def forget(self, step: Step, lease: Lease) -> None:
        """Delete a step from the ledger, be it applied or begun, leaving the data alone; it needs no file."""
        ...


@runtime_checkable
class Probes(Protocol):
    """A store that can look whether the effects of steps are there."""

    def probe(self, steps: Sequence[Step]) -> Iterator[Probe]:
        """
        Check for the effects of steps, in the order given.

        Each step is judged by what would stand after *all* the given steps: a collection
        that a later step drops again need not be there.
        """
        ...


@runtime_checkable
class Unfinished(Protocol):
    """A store that knows which steps a run began and did not end; the next run continues or undoes them."""

    def recorded(self) -> Recorded:
        """
        Read the ledger: what is applied, and what was begun. Nothing is created.

        Raises:
            StoreUnavailable: The store can't be reached.
        """
        ...


def read_ledger(store: Store) -> Recorded:
    """Return what the ledger of a store holds; one that can't tell what was begun has begun nothing."""
    return store.recorded() if isinstance(store, Unfinished) else Recorded(applied=store.applied())


@runtime_checkable
class RunHooks(Protocol):
    """A store that wants to know when a run begins and ends (Django's signals)."""

    def before_run(self, steps: Sequence[Step], direction: Direction, report: Reporter) -> None:
        """Handle a run's beginning, under the lease, before this store's first step; `steps` may be empty."""
        ...

    def after_run(self, steps: Sequence[Step], direction: Direction, report: Reporter) -> None:
        """Handle a run's end, under the lease, after this store's last step, when all went well."""
        ...


@runtime_checkable
class Closes(Protocol):
    """A store that holds connections."""

    def close(self) -> None:
        """Close the connections. The store may be used again afterwards."""
        ...


def by_store(steps: Iterable[Step]) -> Mapping[str, Sequence[Step]]:
    """
    Group steps by their store.

    Args:
        steps: Steps of any stores.

    Returns:
        Steps by store alias, in the order in which they came.
    """
    groups: dict[str, list[Step]] = {}
    for step in steps:
        groups.setdefault(step.key.store, []).append(step)
    return groups
