"""Patience with locks in a revision: limits set in its transactions, and who is in the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from accord import conf
from accord.events import Reporter
from accord.locks import blockers, patience
from accord.locks.trying import Tries
from accord.seam.types import Lease, Step
from migrator.alembic.database import Database
from migrator.alembic.ledger import Ask

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext

# What the session's settings allow already may be less, and then it stays so.
_LIMIT = """
SELECT set_config('lock_timeout', CASE WHEN own.seconds > 0 AND own.seconds < CAST(:seconds AS float8)
    THEN current_setting('lock_timeout') ELSE CAST(:written AS text) END, true)
FROM (SELECT extract(epoch FROM CAST(current_setting('lock_timeout') AS interval))) AS own(seconds)
"""
_SET = "SELECT current_setting('lock_timeout'), set_config('lock_timeout', CAST(:written AS text), false)"
_BESIDE = "concurrently"


@dataclass
class Session:
    """
    The session in which a revision runs, as a second connection looks at it.

    Attributes:
        pid: Its process; None where the driver doesn't tell, or while there is none.
        engine: Opens further connections as env.py does.
    """

    pid: int | None = None
    engine: Any = None

    def begins(self, context: MigrationContext) -> None:
        """Take note of a connection that env.py has opened."""
        connection = context.connection
        if connection is not None:
            info = getattr(connection.connection.dbapi_connection, "info", None)
            self.pid = getattr(info, "backend_pid", None)
            self.engine = connection.engine


@contextmanager
def beside(database: Database | None, session: Session) -> Iterator[blockers.Ask]:
    """Open a connection from which another session can be looked at."""
    with asking(database, session) as ask:
        yield lambda sql: ask(sql, {})


@contextmanager
def asking(database: Database | None, session: Session) -> Iterator[Ask]:
    """Open a connection beside that of a revision, in no transaction."""
    if database is not None:
        with database.asking() as ask:
            yield ask
        return
    from migrator.alembic.environment import asker

    with session.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield asker(connection)


def tries_of(
    step: Step,
    lease: Lease,
    report: Reporter,
    *,
    declared: object,
    session: Session,
    to: Database | None,
) -> Tries:
    """
    Return the tries of one revision.

    Args:
        step: The revision.
        lease: The right to write.
        report: Hears what is waited for.
        declared: What its file says of `locks`; None for nothing.
        session: Where it runs.
        to: The direct way to its database, where there is one.

    Raises:
        ConfigurationError: The policy can't be read.
        InvalidRevision: What the file says can't be read.
    """
    usual = patience.of_environment(conf.load())

    def beckon(relation: str) -> None:
        with asking(to, session) as ask:
            ask(blockers.beckoning(relation), {})

    return Tries(
        key=step.key,
        patience=usual if declared is None else patience.parse_waiver(declared, str(step.source.path), usual),
        lease=lease,
        report=report,
        beside=lambda: beside(to, session),
        pid=lambda: session.pid,
        beckon=beckon,
    )


def leaves_its_transaction(source: str) -> bool:
    """Return whether the text of a revision says that a part of it runs outside of a transaction."""
    return "autocommit_block" in source


@dataclass(frozen=True, kw_only=True)
class Limits:
    """
    How long the statements of a revision may stand in a queue for a lock.

    Attributes:
        seconds: How long; None leaves what the server's settings say.
        context: Alembic's; its connection changes where a revision leaves its transaction.
        asker: Sends statements through a connection.
        in_transaction: Whether there is one around the revision.
        source: Text of the revision.
    """

    seconds: float | None
    context: MigrationContext
    asker: Callable[[Any], Ask]
    in_transaction: bool
    source: str

    @contextmanager
    def held(self) -> Iterator[None]:
        """Set them for the body, which is the revision."""
        if not self.seconds:
            yield
            return
        if not self.in_transaction:
            with self._of_session():
                yield
            return
        leave = self.context.autocommit_block
        # Alembic's own `op.get_context().autocommit_block()` finds the one of the object first.
        self.context.autocommit_block = lambda: self._outside(leave)  # type: ignore[method-assign]
        try:
            self._of_transaction()
            yield
        finally:
            del self.context.autocommit_block

    @contextmanager
    def _outside(self, leave: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
        """Hold the limit where there is no transaction, and again in the one that begins afterwards."""
        with leave(), self._of_session():
            yield
        self._of_transaction()

    def _of_transaction(self) -> None:
        self._ask(_LIMIT, {"seconds": self.seconds, "written": _written(self.seconds or 0)})

    @contextmanager
    def _of_session(self) -> Iterator[None]:
        """Nobody waits behind an index that is built concurrently, and one that gives up can't be used."""
        seconds = 0.0 if _BESIDE in self.source.lower() else self.seconds or 0.0
        ((before, _),) = self._ask(_SET, {"written": _written(seconds)})
        try:
            yield
        finally:
            # A session that broke has nothing left to be put back.
            with suppress(Exception):
                self._ask(_SET, {"written": before})

    def _ask(self, sql: str, values: dict[str, object]) -> Any:
        return self.asker(self.context.connection)(sql, values)


def _written(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"
