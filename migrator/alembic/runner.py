"""One revision, up or down, in the transaction that also moves Alembic's head and writes our ledger."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from alembic.runtime.migration import MigrationContext, MigrationInfo, RevisionStep
from alembic.script import Script, ScriptDirectory

from accord.errors import ConfigurationError, InconsistentLedger
from accord.events import Reporter, StepNoted, silent
from accord.seam.assertions import Moment, refuse_broken
from accord.seam.types import Direction, Lease, Origin, Step, StepKey
from accord.stopping import Cancel, cancellable
from migrator.alembic import asserting, ledger
from migrator.alembic.entries import APPLIED, APPLYING, REVERTING
from migrator.alembic.environment import asker
from migrator.alembic.history import History
from migrator.alembic.ledger import Ask, Tables
from migrator.alembic.locking import Limits, Session
from migrator.errors import LedgerOrphan

_BACK = "Its transaction was rolled back."


@dataclass(kw_only=True)
class Change:
    """
    A visitor: exactly one revision, and nothing else.

    Attributes:
        step: The step.
        direction: Which way it goes.
        lease: The right to write.
        history: All revisions.
        directory: Alembic's view of them.
        tables: Tables of the history, as the options name them.
        place: What the direct way to the database calls itself; empty where there is none.
        acts: Whether the revision runs; when it doesn't, only the records move.
        how: How the revision comes to be applied.
        claims: Whether the fence has to be claimed first.
        report: Who hears about recoveries.
        indexes: Indexes that the revision makes; None until they were looked for.
        seconds: How long its statements may stand in a queue for a lock; None: as the server's settings say.
        session: Where it runs, for who looks from beside.
        already: Set when the wanted state was there before.
        cut_off: Set, with nothing done, when an earlier run left a part of the revision
            behind and `indexes` has to be known before it runs again.
    """

    step: Step
    direction: Direction
    lease: Lease
    history: History
    directory: ScriptDirectory
    tables: Tables
    place: str = ""
    acts: bool = True
    how: Origin = Origin.APPLIED
    claims: bool = True
    report: Reporter = silent
    indexes: Collection[str] | None = None
    seconds: float | None = None
    session: Session = field(default_factory=Session)
    already: bool = field(default=False, init=False)
    cut_off: bool = field(default=False, init=False)
    verified: bool = field(default=False, init=False)

    def begin(self, context: MigrationContext) -> None:
        """Make sure that we are where we think we are, alone, and not outdated."""
        connection = context.connection
        ask = asker(connection)
        self.session.begins(context)
        self._require_same_place(context, ledger.place(ask))
        if self.claims and connection is not None:
            # In a transaction of its own: a step that fails afterwards doesn't take the fence back.
            with connection.engine.connect() as side, side.begin():
                ledger.claim(asker(side), self.tables, self.lease)
        if _commits_each_statement(context):
            self._note(
                "env.py connects in autocommit mode, so a kill in the middle can leave part of a revision."
            )
            return
        ledger.lock(ask, self.tables)
        ledger.keep_hands_off(ask, self.tables)

    def steps(self, heads: Sequence[str], context: MigrationContext) -> Iterator[RevisionStep]:
        """Yield the one revision, unless the wanted state is there."""
        ask = asker(context.connection)
        ledger.require_fence(ask, self.tables, self.lease)
        self.lease.check()
        self._require_known(heads)
        applied = self.history.implied(heads)
        if (self.step.key.name in applied) is (self.direction is Direction.APPLY):
            self.already = True
            # A transaction of its own where env.py asked for one per revision, else part of env.py's.
            with context.begin_transaction(_per_migration=True):
                self._tidy(context)
            return
        self._require_order(applied)
        if ledger.state_of(ask, self.tables, self.step) in (APPLYING, REVERTING):
            if self.indexes is None:
                self.cut_off = True
                return
            self._note("an earlier run was cut off outside of a transaction; running it again.")
            self._drop_invalid(ask, self.indexes)
        with cancellable(_cancel_of(context)):
            yield from self._prepared(heads, context)

    def _require_same_place(self, context: MigrationContext, place: str) -> None:
        require_tables(context, self.tables)
        if self.place and self.place != place:
            raise ConfigurationError(
                "env.py connects to another database or schema than URL in the store's options names.",
                hint='Let env.py take its URL from config.get_main_option("sqlalchemy.url").',
            )

    def _require_known(self, heads: Sequence[str]) -> None:
        """Raise for a head without a file, be it accepted: what is applied below it Alembic can't tell."""
        unknown = [head for head in heads if head not in self.history.scripts]
        if unknown and self.acts:
            gone = self._other(unknown[0])
            raise LedgerOrphan(
                f"{self.step.key} can go neither way while Alembic's table holds {unknown[0]}, which no file "
                "declares.",
                hint="Restore the file. If it is gone for good, strike the entry: "
                f'migrate_all --forget {gone} --reason "WHY"',
            )

    def _require_order(self, applied: frozenset[str]) -> None:
        name = self.step.key.name
        if self.direction is Direction.APPLY:
            missing = [parent for parent in self.history.parents[name] if parent not in applied]
            # A stamp may name any revision: it says that everything below is there too.
            if missing and self.acts:
                raise InconsistentLedger(
                    f"{self.step.key} needs {', '.join(missing)}, which Alembic's table does not hold.",
                    hint=f"Apply that revision first: migrate_all --to {self._other(missing[0])}",
                )
        elif above := [child for child in self.history.children[name] if child in applied]:
            raise InconsistentLedger(
                f"{self.step.key} can't go while {', '.join(above)} is applied.",
                hint=f"Revert that revision first: migrate_all --revert --step {self._other(above[0])}",
            )

    def _other(self, revision: str) -> StepKey:
        return self.step.key._replace(name=revision)

    def _drop_invalid(self, ask: Ask, indexes: Collection[str]) -> None:
        """Remove what a cut CREATE INDEX CONCURRENTLY leaves: `IF NOT EXISTS` would take it for the index."""
        for index in indexes:
            if ledger.drop_if_invalid(ask, index):
                self._note(f"the index {index} was left invalid and is built anew.")

    def _prepared(self, heads: Sequence[str], context: MigrationContext) -> Sequence[RevisionStep]:
        context.on_version_apply_callbacks = (*context.on_version_apply_callbacks, self._record)
        name, up = self.step.key.name, self.direction is Direction.APPLY
        if up and not self.acts:
            # What `alembic stamp` would do; its steps have the form of a revision's.
            return self.directory._stamp_revs(name, tuple(heads))  # type: ignore[return-value]  # noqa: SLF001
        kind = RevisionStep if self.acts else Unstamp
        prepared = kind(self.directory.revision_map, self.directory.get_revision(name), up)
        if self.acts:
            prepared.migration_fn = self._announced(prepared.migration_fn, context)
        return [prepared]

    def _announced(self, act: Callable[..., object], context: MigrationContext) -> Callable[..., object]:
        """
        Write the intent before the revision's own statements.

        In a transaction no other connection ever sees it. A revision that leaves its transaction
        (`autocommit_block`) commits it by that very act, and so leaves a trace for the next run.
        """

        @wraps(act)
        def announced(**kw: Any) -> object:
            state = APPLYING if self.direction is Direction.APPLY else REVERTING
            ledger.write(asker(context.connection), self.tables, self.step, self.lease, state)
            with self._limits(context).held():
                return act(**kw)

        return announced

    def _limits(self, context: MigrationContext) -> Limits:
        return Limits(
            seconds=self.seconds,
            context=context,
            asker=asker,
            in_transaction=not _commits_each_statement(context),
            source=self.step.source.text,
        )

    def _record(self, *, ctx: MigrationContext, **_: object) -> None:
        """Alembic has moved its head: check the lease a last time and write the ledger."""
        ask = asker(ctx.connection)
        self.lease.check()
        ledger.require_fence(ask, self.tables, self.lease)
        if self.direction is Direction.APPLY:
            if self.acts and not _commits_each_statement(ctx):
                refuse_broken(asserting.broken(self.step, self._module, Moment.AFTER, ctx.connection), _BACK)
                self.verified = True
            ledger.write(ask, self.tables, self.step, self.lease, APPLIED, self.how)
        else:
            ledger.strike(ask, self.tables, self.step)

    @property
    def _module(self) -> Any:
        return self.directory.get_revision(self.step.key.name).module

    def _tidy(self, context: MigrationContext) -> None:
        """Bring our entry in line with a head that had moved before."""
        ask = asker(context.connection)
        if self.direction is Direction.REVERT:
            ledger.strike(ask, self.tables, self.step)
        elif self.acts:
            ledger.mark(ask, self.tables, self.step, APPLIED)
        else:
            ledger.write(ask, self.tables, self.step, self.lease, APPLIED, self.how)

    def _note(self, text: str) -> None:
        self.report(StepNoted(key=str(self.step.key), note=text))


class Unstamp(RevisionStep):
    """
    A revision of which only the head goes down.

    `alembic stamp` of the revision below would take every other branch that starts there along.
    """

    def __init__(self, revision_map: Any, revision: Script, is_upgrade: bool) -> None:  # noqa: FBT001 - Alembic's
        super().__init__(revision_map, revision, is_upgrade)
        self.migration_fn = _nothing

    @property
    def info(self) -> MigrationInfo:
        """Report to callbacks of env.py that nothing was run."""
        info = super().info
        info.is_stamp = True
        return info


@dataclass(kw_only=True)
class Conversation:
    """
    A visitor that hands over the connection, and lets no revision run.

    Attributes:
        ask: Called with SQLAlchemy's connection.
    """

    ask: Callable[[Any], None]

    def begin(self, context: MigrationContext) -> None:
        """Hand it over."""
        self.ask(context.connection)

    def steps(self, heads: Sequence[str], context: MigrationContext) -> Iterator[RevisionStep]:
        """Yield no revision."""
        yield from ()


@dataclass(kw_only=True)
class Inspection:
    """
    A visitor that only asks the database something.

    Attributes:
        question: Called with a way to ask.
        tables: Tables of the history, as the options name them.
    """

    question: Callable[[Ask], None]
    tables: Tables

    def begin(self, context: MigrationContext) -> None:
        """Ask, before Alembic does anything of its own."""
        ask = asker(context.connection)
        require_tables(context, self.tables)
        self.question(ask)

    def steps(self, heads: Sequence[str], context: MigrationContext) -> Iterator[RevisionStep]:
        """Yield no revision."""
        yield from ()


def require_tables(context: MigrationContext, tables: Tables) -> None:
    """
    Compare the names that env.py gives its table with those of the store's options.

    Raises:
        ConfigurationError: They differ.
    """
    found = Tables(version_table=context.version_table, schema=context.version_table_schema or "")
    if found != tables:
        raise ConfigurationError(
            f"env.py keeps its heads in {found.versions}, the store's options say {tables.versions}.",
            hint="Set VERSION_TABLE and VERSION_TABLE_SCHEMA as env.py passes them to context.configure().",
        )


def _nothing(**_: object) -> None:
    """Run in place of `downgrade` when only the head moves."""


def _driver(context: MigrationContext) -> Any:
    """Return the driver's own connection; None where env.py has none."""
    connection = context.connection
    return connection.connection.dbapi_connection if connection is not None else None


def _commits_each_statement(context: MigrationContext) -> bool:
    return bool(getattr(_driver(context), "autocommit", False))


def _cancel_of(context: MigrationContext) -> Cancel:
    """Return what ends a statement of the revision, as Ctrl-C does a second time."""
    found: Cancel = getattr(_driver(context), "cancel", _nothing)
    return found
