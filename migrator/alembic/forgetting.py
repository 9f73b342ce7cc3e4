"""Striking a revision whose file is gone: our entry goes, and Alembic's head moves to what lies below."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from alembic.runtime.migration import MigrationContext, RevisionStep

from accord.errors import ConfigurationError
from accord.seam.types import Lease, Step
from migrator.alembic import ledger
from migrator.alembic.entries import HistoryState
from migrator.alembic.environment import asker
from migrator.alembic.history import History
from migrator.alembic.ledger import Ask, Tables
from migrator.alembic.runner import require_tables
from migrator.errors import LedgerOrphan


def forget(ask: Ask, tables: Tables, history: History, step: Step, lease: Lease) -> None:
    """
    Strike a revision that no file declares.

    Args:
        ask: Sends a statement; all of them in one transaction.
        tables: Names of the tables.
        history: The revisions that there are.
        step: The step.
        lease: The lease of the caller.

    Raises:
        StaleFence: A later holder has been here.
        LedgerOrphan: It is a head of Alembic's, and what lies below it isn't known here.
    """
    ledger.claim(ask, tables, lease)
    ledger.keep_hands_off(ask, tables)
    state = ledger.read(ask, tables)
    name = step.key.name
    below = _below(history, state, step) if name in state.heads else ()
    ledger.strike(ask, tables, step)
    if name in state.heads:
        ask(f"DELETE FROM {tables.versions} WHERE version_num = :name", {"name": name})  # noqa: S608 - our own names
    for head in below:
        ask(f"INSERT INTO {tables.versions} (version_num) VALUES (:name)", {"name": head})  # noqa: S608 - as above


def _below(history: History, state: HistoryState, step: Step) -> Sequence[str]:
    """Return the heads that take the place of one: the newest of what our ledger remembers as applied."""
    others = history.implied(head for head in state.heads if head != step.key.name)
    known = [name for name in state.remembered if name in history.scripts]
    if history.scripts and not known:
        raise LedgerOrphan(
            f"{step.key} is a head of Alembic's, and what lies below it isn't known here.",
            hint="Restore its file, or tell Alembic what is applied: alembic stamp --purge REVISION.",
        )
    # A head says that everything below it is applied, so one that lies below another is none.
    heads = history.heads_of(history.implied(known) | others)
    return [head for head in heads if head not in state.heads and head not in others]


@contextmanager
def in_transaction(ask: Ask) -> Iterator[Ask]:
    """Hold a transaction on a connection that commits each statement; what fails takes it back."""
    ask("BEGIN", {})
    yield ask
    ask("COMMIT", {})


@dataclass(kw_only=True)
class Forgetting:
    """
    A visitor that writes records and runs no revision.

    Attributes:
        act: Called with a way to ask, in a transaction of its own.
        tables: Tables of the history, as the options name them.
    """

    act: Callable[[Ask], None]
    tables: Tables

    def begin(self, context: MigrationContext) -> None:
        """Write, before Alembic does anything of its own."""
        require_tables(context, self.tables)
        if context.connection is None:
            raise ConfigurationError(
                "env.py has no connection to the database.", hint="Run it online, as `alembic upgrade` does."
            )
        with context.connection.engine.connect() as side, side.begin():
            self.act(asker(side))

    def steps(self, heads: Sequence[str], context: MigrationContext) -> Iterator[RevisionStep]:
        """Yield no revision."""
        yield from ()
