"""
The store of an Alembic history: its revisions are steps, `alembic_version` is the truth.

Alembic and SQLAlchemy are imported when a revision runs, is shown or is probed; reading
steps and ledger does without them wherever the configuration allows it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, TypeVar

from accord.errors import AccordError, ConflictingState, IrreversibleStep, StepFailed
from accord.events import Reporter, silent
from accord.locks import patience
from accord.revisions.entry import not_understood, origin_of
from accord.seam.origins import left_alone, was_found
from accord.seam.stores import StoreFeatures, StoreInfo
from accord.seam.types import (
    AppliedStep,
    BegunStep,
    Direction,
    Lease,
    Origin,
    Recorded,
    Step,
    StepKey,
    StepOutcome,
)
from migrator.alembic import options as store_options
from migrator.alembic import server
from migrator.alembic.ahead import LooksAhead
from migrator.alembic.database import Database
from migrator.alembic.entries import REVERTING, STATES, HistoryState
from migrator.alembic.failures import explained, refuse_begun
from migrator.alembic.history import History
from migrator.alembic.layout import HistoryConfig
from migrator.alembic.leaving import Leaves
from migrator.alembic.ledger import Ask, Tables, heads, id_width, place, read
from migrator.alembic.locking import leaves_its_transaction, tries_of
from migrator.alembic.marks import Marks
from migrator.alembic.reader import Reader
from migrator.alembic.scripts import Script
from migrator.alembic.test_database import InTestDatabase
from migrator.errors import LedgerOrphan

if TYPE_CHECKING:
    from migrator.alembic.environment import HistoryEnvironment
    from migrator.alembic.runner import Change

_Answer = TypeVar("_Answer")


class AlembicStore(LooksAhead, Leaves, Marks, InTestDatabase):
    """
    An Alembic history on PostgreSQL.

    Args:
        alias: Name of the store.
        options: `CONFIG`, `APP`, `URL`, `SECTION`, `VERSION_TABLE`, `VERSION_TABLE_SCHEMA`.
    """

    features = StoreFeatures(
        records_atomically=True, allows_branches=True, process_wide=True, numbers_are_unique=False
    )

    def __init__(self, alias: str, options: Mapping[str, object]) -> None:
        self.alias = alias
        self._options = store_options.parse(alias, options)
        self._config = HistoryConfig(self._options.config, self._options.section)
        self._tables = Tables(
            version_table=self._options.version_table, schema=self._options.version_table_schema
        )
        self._database = Database(alias, self._options.url) if self._options.url else None
        self._reader = Reader(self._config, lambda: self._environment)
        self._claimed = -1
        self._place = ""

    @staticmethod
    def ledger_place(alias: str, options: Mapping[str, object]) -> str:
        """Name database and version table. See :class:`accord.seam.stores.NamesLedger`."""
        parsed = store_options.parse(alias, options)
        database = parsed.url.place if parsed.url else f"what {parsed.config} [{parsed.section}] connects to"
        return f"{parsed.version_table_schema or 'public'}.{parsed.version_table} in {database}"

    def ping(self) -> StoreInfo:
        found = self._ask_once(server.version)
        return server.describe(self.alias, found, self._database.address if self._database else "")

    def steps(self) -> Sequence[Step]:
        history = self._reader.history()
        return [self._step(history, history.scripts[revision]) for revision in history.sorted()]

    def applied(self) -> Mapping[StepKey, AppliedStep]:
        return self.recorded().applied

    def recorded(self) -> Recorded:
        """Read Alembic's heads and our entries. See :class:`accord.seam.stores.Unfinished`."""
        state = self._state()
        history = self._reader.history()
        self._refuse_unknown_heads(state, history)
        applied = self._known(state, history)
        return Recorded(applied=applied, begun=self._begun(state, applied))

    def _known(self, state: HistoryState, history: History) -> Mapping[StepKey, AppliedStep]:
        """Return what is applied: everything at or below Alembic's heads."""
        names = set(history.implied(state.heads))
        if unknown := self._unknown(state, history):
            # We applied these, so that our entries remember what lies below; their files are gone.
            names |= {*unknown, *state.remembered}
        return {key: self._applied(key, state) for key in map(self._key, sorted(names))}

    def _begun(
        self, state: HistoryState, applied: Mapping[StepKey, AppliedStep]
    ) -> Mapping[StepKey, BegunStep]:
        """Return what was begun and not ended, neither by us nor by an `alembic` that was run by hand."""
        begun = {self._key(name): entry for name, entry in sorted(state.entries.items()) if entry.is_begun}
        return {
            key: BegunStep(
                key=key,
                direction=Direction.REVERT if entry.state == REVERTING else Direction.APPLY,
                partly=True,
                run_id=entry.run_id,
            )
            for key, entry in begun.items()
            if entry.state == REVERTING or key not in applied
        }

    def apply(self, step: Step, lease: Lease, report: Reporter = silent) -> StepOutcome:
        return self._change(step, lease, Direction.APPLY, report)

    def revert(self, step: Step, lease: Lease, report: Reporter = silent) -> StepOutcome:
        ledger = self.recorded()
        if was_found(step, ledger.applied):
            self.forget(step, lease)
            return left_alone(step)
        if step.irreversible:
            raise IrreversibleStep(
                f"{step.key} can't be undone: {step.irreversible}",
                hint="Leave it applied, or write a new revision that goes back as far as data allow.",
            )
        refuse_begun(step, ledger.begun.get(step.key))
        return self._change(step, lease, Direction.REVERT, report)

    def record(self, step: Step, lease: Lease, how: Origin = Origin.ADOPTED) -> None:
        self._change(step, lease, Direction.APPLY, silent, acts=False, how=how)

    def forget(self, step: Step, lease: Lease) -> None:
        if step.key.name in self._reader.history().scripts:
            self._change(step, lease, Direction.REVERT, silent, acts=False)
        else:
            lease.check()
            self._strike_orphan(step, lease)

    def close(self) -> None:
        """Nothing is held: every connection lives for one question or one step."""

    # --- reading -----------------------------------------------------------------------------

    def _key(self, revision: str) -> StepKey:
        return StepKey(self.alias, self._options.app, revision)

    def _step(self, history: History, script: Script) -> Step:
        parents = history.parents[script.revision]
        return Step(
            key=self._key(script.revision),
            source=self._reader.source(script),
            dependencies=(*map(self._key, parents), *script.cross_dependencies),
            follows=tuple(map(self._key, history.follows[script.revision])),
            phase=script.phase,
            title=script.title or script.revision,
            waits=patience.told(script.locks, str(script.path)),
            irreversible=script.irreversible,
            third_party=not {"site-packages", "dist-packages"}.isdisjoint(script.path.parts),
        )

    def _unknown(self, state: HistoryState, history: History) -> Sequence[str]:
        return [head for head in state.heads if head not in history.scripts]

    def _refuse_unknown_heads(self, state: HistoryState, history: History) -> None:
        """
        Make sure that each head is known to a file, or else to us: what lies below can't be told without.

        Raises:
            LedgerOrphan: Neither knows one. Alembic stops there, too.
        """
        unknown = [head for head in self._unknown(state, history) if head not in state.remembered]
        if unknown:
            raise LedgerOrphan(
                f"The table {self._tables.version_table} of “{self.alias}” holds {', '.join(unknown)}, and "
                f"no file of {self._options.config} declares it: what is applied there can't be told.",
                hint="Restore the file, or run the release that has it. Did you undo it by hand? Then say "
                f"where the database stands: alembic -c {self._options.config} stamp --purge REVISION",
            )

    def _applied(self, key: StepKey, state: HistoryState) -> AppliedStep:
        entry = state.entries.get(key.name)
        if entry is None:
            return AppliedStep(key=key)
        return AppliedStep(
            key=key,
            checksum=entry.checksum,
            fingerprint=entry.fingerprint,
            applied_at=entry.applied_at,
            run_id=entry.run_id,
            fence=entry.fence,
            reverting=entry.state == REVERTING,
            how=origin_of(key, entry.word),
        )

    def _state(self) -> HistoryState:
        state = self._read_state()
        for revision, entry in state.entries.items():
            if entry.state not in STATES:
                raise not_understood(self._key(revision), entry.state)
            origin_of(self._key(revision), entry.word)
        return state

    def _read_state(self) -> HistoryState:
        if self._database:
            state = self._database.state(self._tables)
            self._place = state.place
            return state
        return self._ask_once(lambda ask: read(ask, self._tables))

    def _ask_once(self, question: Callable[[Ask], _Answer]) -> _Answer:
        """Ask the database directly where its URL is known, else by way of env.py."""
        if self._database:
            with self._database.asking() as ask:
                return question(ask)
        from migrator.alembic.runner import Inspection

        answers: list[_Answer] = []
        look = Inspection(question=lambda ask: answers.append(question(ask)), tables=self._tables)
        self._environment.run(look, looks_only=True)
        return answers[0]

    # --- writing -----------------------------------------------------------------------------

    @cached_property
    def _environment(self) -> HistoryEnvironment:
        from migrator.alembic.environment import HistoryEnvironment

        return HistoryEnvironment(self.alias, self._options, self._config)

    def _change(
        self,
        step: Step,
        lease: Lease,
        direction: Direction,
        report: Reporter,
        *,
        acts: bool = True,
        how: Origin = Origin.APPLIED,
    ) -> StepOutcome:
        from migrator.alembic.runner import Change

        lease.check()
        history = self._reader.current(step)
        change = Change(
            step=step,
            direction=direction,
            lease=lease,
            history=history,
            directory=self._environment.directory(history),
            tables=self._tables,
            place=self._known_place(),
            acts=acts,
            how=how,
            claims=self._claimed != lease.fence,
            report=report,
        )
        change = self._patiently(change) if acts else self._taken(change)
        self._claimed = lease.fence
        self._read_back(step, direction)
        return StepOutcome(
            key=step.key, direction=direction, already=change.already, verified=change.verified
        )

    def _patiently(self, change: Change) -> Change:
        """Run a revision; again, while others hold what it locks and nothing of it stands."""
        step = change.step
        declared = self._reader.current(step).scripts[step.key.name].locks
        tries = tries_of(
            step, change.lease, change.report, declared=declared, session=change.session, to=self._database
        )

        act = partial(self._taken, change)
        if leaves_its_transaction(step.source.text):
            return tries.once(act)
        return tries.through(act, stands=lambda: self._is_begun(step))

    def _taken(self, change: Change, seconds: float | None = None) -> Change:
        change = replace(change, seconds=seconds)
        self._run(change)
        if not change.cut_off:
            return change
        # What it makes is told by the revision itself, offline; env.py can't do both at once.
        from migrator.alembic import probing

        indexes = probing.indexes_of(self._environment, self._reader.current(change.step), change.step)
        change = replace(change, indexes=indexes, claims=False)
        self._run(change)
        return change

    def _is_begun(self, step: Step) -> bool:
        entry = self._state().entries.get(step.key.name)
        return entry is not None and entry.is_begun

    def _strike_orphan(self, step: Step, lease: Lease) -> None:
        from migrator.alembic import forgetting

        strike = partial(
            forgetting.forget, tables=self._tables, history=self._reader.history(), step=step, lease=lease
        )
        if self._database:
            with self._database.asking() as ask, forgetting.in_transaction(ask):
                strike(ask)
        else:
            self._environment.run(forgetting.Forgetting(act=strike, tables=self._tables), looks_only=True)

    def _run(self, change: Change) -> None:
        try:
            self._environment.run(change, what=str(change.step.key))
        except (StepFailed, ConflictingState) as exc:
            # With its own cause, which says whether others were in the way.
            raise self._explained(exc, change.step) from exc.__cause__

    def _known_place(self) -> str:
        if self._database and not self._place:
            self._place = self._ask_once(place)
        return self._place

    def _read_back(self, step: Step, direction: Direction) -> None:
        """Believe the database, not the env.py that was to commit."""
        found = self._ask_once(lambda ask: heads(ask, self._tables))
        implied = self._reader.current(step).implied(found)
        if (step.key.name in implied) is not (direction is Direction.APPLY):
            raise StepFailed(
                f"{step.key}: env.py ran, and Alembic's table is as it was before.",
                hint="Let env.py call context.run_migrations() within context.begin_transaction().",
            )

    def _explained(self, error: AccordError, step: Step) -> AccordError:
        begun = self._is_begun(step)
        look = partial(self._ask_once, partial(id_width, tables=self._tables))
        return explained(error, step, begun=begun, width=look)
