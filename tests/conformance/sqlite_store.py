"""
A fifth store, built on the machine of revisions: the tables of an SQLite file.

It is here to show, and to prove by the suite, what a store has to bring: its ledger, its operations, and
the answers to a few questions. A revision file imports this module as the others import their package.
"""

from __future__ import annotations

import json
import sqlite3
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from accord.errors import ConfigurationError, ConflictingState, StepFailed, StoreUnavailable
from accord.revisions import expectation, operation
from accord.revisions.entry import EntryState, Facts, StepEntry, from_json, to_json
from accord.revisions.expectation import Judgement
from accord.revisions.ledger import Work, nothing_else, stale
from accord.revisions.loader import Revision, RevisionKind
from accord.revisions.progress import Batch, Progress
from accord.revisions.store import RevisionStore, Show
from accord.seam.losses import HowMany
from accord.seam.stores import StoreInfo
from accord.seam.types import Direction, Language, Lease, Presence, Probe, Statement, Step, StepKey

LEDGER, FENCE = "accord_ledger", "accord_fence"
Columns = Mapping[str, str]

# --- the ledger ------------------------------------------------------------------------------------


class Ledger:
    """An entry is a line of a table, in the transaction of its work; the fence is another table."""

    transactional = True

    def __init__(self, connection: sqlite3.Connection, store: str) -> None:
        self._connection = connection
        self._store = store

    def entries(self) -> Iterator[StepEntry]:
        """Read every entry."""
        if columns(self._connection, LEDGER):
            for key, entry in self._connection.execute(f"SELECT key, entry FROM {LEDGER}"):
                yield from_json(StepKey.parse(key), json.loads(entry))

    def entry(self, key: StepKey, lease: Lease) -> StepEntry | None:
        """Read one entry."""
        if self._fence() > lease.fence:
            raise stale(key, lease)
        return next((entry for entry in self.entries() if entry.key == key), None)

    def commit(self, entry: StepEntry, lease: Lease, work: Work = nothing_else) -> StepEntry:
        """Work and write, in one transaction."""
        with self._fenced(entry.key, lease):
            made = work(entry, self._connection).stamped(lease)
            if made.state is EntryState.APPLIED:
                made = replace(made, applied_at=datetime.now(UTC))
            line = (str(made.key), json.dumps(to_json(made)))
            self._connection.execute(f"INSERT OR REPLACE INTO {LEDGER} VALUES (?, ?)", line)
        return made

    def strike(self, key: StepKey, lease: Lease) -> None:
        """Remove an entry."""
        with self._fenced(key, lease):
            self._connection.execute(f"DELETE FROM {LEDGER} WHERE key = ?", [str(key)])

    @contextmanager
    def _fenced(self, key: StepKey, lease: Lease) -> Iterator[None]:
        lease.check()
        with writing(self._connection):
            self._connection.execute(
                f"CREATE TABLE IF NOT EXISTS {LEDGER} (key TEXT PRIMARY KEY, entry TEXT)"
            )
            self._connection.execute(f"CREATE TABLE IF NOT EXISTS {FENCE} (fence INTEGER)")
            if self._fence() > lease.fence:
                raise stale(key, lease)
            self._connection.execute(f"DELETE FROM {FENCE}")
            self._connection.execute(f"INSERT INTO {FENCE} VALUES (?)", [lease.fence])
            yield

    def _fence(self) -> int:
        if not columns(self._connection, FENCE):
            return 0
        return max((fence for (fence,) in self._connection.execute(f"SELECT fence FROM {FENCE}")), default=0)


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """Hold a transaction."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def columns(connection: sqlite3.Connection, table: str) -> Columns:
    """Read the columns of a table; none when it does not exist."""
    return {row[1]: row[2] for row in connection.execute(f"PRAGMA table_info('{table}')")}


# --- the operations ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Context:
    """What an operation works with."""

    connection: sqlite3.Connection
    progress: Progress


Outline = dict[tuple[str, str], tuple[StepKey, bool]]
"""Table and column (empty for the table itself) to the step that set it last, and whether it should stand."""


class Operation(operation.Operation[Context]):
    """Statements in the transaction of their record; SQLite takes back DDL as well."""

    @abstractmethod
    def requests(self, direction: Direction) -> Sequence[str]:
        """Return what it sends."""

    def apply(self, context: Context) -> int:
        """Send the statements."""
        return self._send(context, Direction.APPLY)

    def revert(self, context: Context) -> int:
        """Send those that undo it."""
        return self._send(context, Direction.REVERT)

    def left_something(self, context: Context, *, begun: bool) -> bool:
        """Nothing is left of a transaction that did not end."""
        return False

    def outline(self, outline: Outline, owner: StepKey) -> None:
        """Say what stands after it."""

    def _send(self, context: Context, direction: Direction) -> int:
        def work(connection: sqlite3.Connection) -> Batch:
            cursors = [connection.execute(statement) for statement in self.requests(direction)]
            return Batch(changed=sum(max(cursor.rowcount, 0) for cursor in cursors))

        context.progress.exactly_once(work)
        return 0


@dataclass(frozen=True)
class CreateTable(Operation):
    """Make a table; undone by dropping it."""

    name: str
    columns: Columns

    def capture(self, context: Context) -> Mapping[str, Any]:
        """Refuse a table that somebody else made."""
        if columns(context.connection, self.name):
            raise ConflictingState(f"{context.progress.key}: the table {self.name} exists already.")
        return {}

    def requests(self, direction: Direction) -> Sequence[str]:
        """Return what it sends."""
        listed = ", ".join(f"{name} {kind}" for name, kind in self.columns.items())
        return [
            f"CREATE TABLE {self.name} ({listed})"
            if direction is Direction.APPLY
            else f"DROP TABLE {self.name}"
        ]

    holder = "table"

    def drops(self, saved: Facts, place: object, direction: Direction) -> Sequence[str]:
        """Say what goes with its rows: a table that stood before was refused."""
        return [self.name] if direction is Direction.REVERT else []

    def outline(self, outline: Outline, owner: StepKey) -> None:
        """Say what stands after it."""
        outline.update({(self.name, column): (owner, True) for column in ["", *self.columns]})


@dataclass(frozen=True)
class AddColumn(Operation):
    """Add a column; undone by dropping it."""

    table: str
    column: str
    kind: str

    def requests(self, direction: Direction) -> Sequence[str]:
        """Return what it sends."""
        change = f"ADD COLUMN {self.column} {self.kind}"
        if direction is Direction.REVERT:
            change = f"DROP COLUMN {self.column}"
        return [f"ALTER TABLE {self.table} {change}"]

    def outline(self, outline: Outline, owner: StepKey) -> None:
        """Say what stands after it."""
        outline[self.table, self.column] = (owner, True)


@dataclass(frozen=True)
class RunSql(Operation):
    """Send a statement; undone by another one, if it is given."""

    forward: str
    backward: str = ""

    @property
    def irreversible(self) -> str:
        """Irreversible without a `backward`."""
        return "" if self.backward else f"“{self.forward[:40]}” has no way back."

    def requests(self, direction: Direction) -> Sequence[str]:
        """Return what it sends."""
        return [self.forward if direction is Direction.APPLY else self.backward]


@dataclass(frozen=True)
class RunPython(RunSql):
    """Call a function with the connection to undo a statement."""

    back: Callable[[sqlite3.Connection], object] = print
    backward: str = "-- by Python"

    def revert(self, context: Context) -> int:
        """Call it."""
        self.back(context.connection)
        return 0


class Migration(Revision):
    """Base of the class `Migration` in `sqlite_revisions/NNNN_name.py`."""

    operations: ClassVar[Sequence[Operation]] = ()


# --- the store ---------------------------------------------------------------------------------------


class SqliteStore(RevisionStore[Operation]):
    """An SQLite file whose tables are changed by revisions."""

    kind = RevisionKind(folder="sqlite_revisions", base=Migration, operation=Operation, package=__name__)

    def __init__(self, alias: str, options: Mapping[str, object]) -> None:
        super().__init__(alias)
        if not isinstance(options.get("PATH"), str):
            raise ConfigurationError(f"ACCORD['STORES']['{alias}'] needs a PATH.", hint="Name a file.")
        self._path = Path(str(options["PATH"]))
        self._connection: sqlite3.Connection | None = None

    def ping(self) -> StoreInfo:
        """Say which library it is."""
        return StoreInfo(
            alias=self.alias, kind="SQLite", version=sqlite3.sqlite_version, address=self._path.name
        )

    def connected_ledger(self) -> Ledger:
        """Open the file, and make it if there is none."""
        return Ledger(self._opened(), self.alias)

    @contextmanager
    def glance(self) -> Iterator[Ledger]:
        """Open the file for one question; one that does not exist stays so."""
        source = f"file:{self._path}?mode=ro" if self._path.exists() else ":memory:"
        with closing(sqlite3.connect(source, uri=True, isolation_level=None)) as connection:
            yield Ledger(connection, self.alias)

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn what the library raises into an error of the suite."""
        try:
            yield
        except sqlite3.Error as exc:
            raise StoreUnavailable(f"{self.alias}: {exc}.", hint="Look at the file.") from exc

    def context(self, progress: Progress) -> Context:
        """Build what an operation works with."""
        return Context(self._opened(), progress)

    def renderer(self, *, offline: bool) -> Show[Operation]:
        """Show statements as they are sent."""
        return lambda _, shown, direction: [
            Statement(text=text, language=Language.SQL) for text in shown.requests(direction)
        ]

    def failure(self, exc: Exception, place: str) -> Exception:
        """Tell what the library says."""
        if isinstance(exc, sqlite3.Error):
            return StepFailed(f"{place}: {exc}.", hint="Correct the revision and run again.")
        return super().failure(exc, place)

    def documents(self, name: str) -> HowMany:
        """Count the rows of a table."""
        if not columns(self._opened(), name):
            return HowMany(0)
        [(number,)] = self._opened().execute(f'SELECT count(*) FROM "{name}"')
        return HowMany(number)

    def probe(self, steps: Sequence[Step]) -> Iterator[Probe]:
        """Look for tables and columns."""
        outline: Outline = {}
        for step in steps:
            for found in self.operations(step.key):
                found.outline(outline, step.key)
        with closing(sqlite3.connect(self._path)) as connection:
            for step in steps:
                own = [place for place, (owner, _) in outline.items() if owner == step.key]
                yield expectation.judge(step.key, [_look(connection, *place) for place in own])

    def close(self) -> None:
        """Let the file go."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = sqlite3.connect(self._path, timeout=30, isolation_level=None)
        return self._connection


def _look(connection: sqlite3.Connection, table: str, column: str) -> Judgement:
    found = columns(connection, table)
    if column in found or (found and not column):
        return Judgement(presence=Presence.DONE)
    return expectation.missing(f"{table}.{column} is missing.".replace(". ", " "))
