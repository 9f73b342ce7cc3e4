"""
What is recorded in the database: Alembic's heads, our entries beside them, and the highest fence.

Alembic's own table stays the truth about what is applied, so that `alembic upgrade` run by hand
counts. Our table adds who applied a revision, when, and with which content; a second one holds
the highest fencing token. Every statement here goes through :data:`Ask`, so that the same text
serves psycopg2 and whatever driver an env.py connects with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accord.errors import StaleFence
from accord.seam.types import Lease, Origin, Step
from migrator.alembic.entries import HistoryState, RevisionEntry

Ask = Callable[[str, Mapping[str, object]], Sequence[Sequence[Any]]]
"""Sends a statement with `:named` values and gives the rows of its answer."""

# Two connections with the same answer look at the same tables when they use the same names.
_PLACE = (
    "concat_ws('/', extract(epoch from pg_postmaster_start_time()), current_database(), current_schema())"
)

_PLACE_ROW = (
    f"SELECT 'place', {_PLACE}, CAST(NULL AS text), CAST(NULL AS text), CAST(NULL AS text),"
    " CAST(NULL AS bigint), CAST(NULL AS timestamptz), CAST(NULL AS text)"
)


def quoted(*names: str) -> str:
    """Write a name, with its schema where there is one, as PostgreSQL wants it."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names if name)


@dataclass(frozen=True, kw_only=True)
class Tables:
    """
    The tables of one history.

    Attributes:
        version_table: Name of Alembic's table.
        schema: Schema of all three; empty for the first of the search path.
    """

    version_table: str = "alembic_version"
    schema: str = ""

    @property
    def versions(self) -> str:
        """Alembic's table, quoted."""
        return self._quoted(self.version_table)

    @property
    def entries(self) -> str:
        """Our ledger, quoted."""
        return self._quoted("accord_ledger_alembic")

    @property
    def fences(self) -> str:
        """The table of the highest fence, quoted."""
        return self._quoted("accord_fence_alembic")

    @property
    def marks(self) -> str:
        """The table of the marks, quoted."""
        return self._quoted("accord_mark_alembic")

    @property
    def lock_key(self) -> int:
        """Key of the advisory lock that writers of this history take turns with."""
        digest = hashlib.sha256(f"accord:alembic:{self.schema}.{self.version_table}".encode()).digest()
        return int.from_bytes(digest[:8], signed=True)

    def _quoted(self, name: str) -> str:
        return quoted(self.schema, name)


def read_at_once(ask: Ask, tables: Tables) -> HistoryState:
    """
    Read everything in one round trip. The driver's own error says that a table is missing.

    Args:
        ask: Sends a statement.
        tables: Names of the tables.
    """
    return _read(ask, tables, versions=True, entries=True)


def read(ask: Ask, tables: Tables) -> HistoryState:
    """
    Read what there is, on a database where tables may be missing.

    Args:
        ask: Sends a statement.
        tables: Names of the tables.
    """
    ((versions, entries),) = ask(
        "SELECT to_regclass(:versions) IS NOT NULL, to_regclass(:entries) IS NOT NULL",
        {"versions": tables.versions, "entries": tables.entries},
    )
    return _read(ask, tables, versions=versions, entries=entries)


def _read(ask: Ask, tables: Tables, *, versions: bool, entries: bool) -> HistoryState:
    parts = [_PLACE_ROW]
    if versions:
        parts.append(f"SELECT 'head', version_num, NULL, NULL, NULL, NULL, NULL, NULL FROM {tables.versions}")  # noqa: S608
    if entries:
        parts.append(
            # By way of JSON: tables that an earlier version made have no such column.
            "SELECT state, revision, checksum, fingerprint, run_id, fence, applied_at,"  # noqa: S608
            f" to_jsonb(kept) ->> 'how' FROM {tables.entries} AS kept WHERE version_table = :version_table"
        )
    rows = ask(" UNION ALL ".join(parts), {"version_table": tables.version_table})
    return HistoryState(
        heads=tuple(row[1] for row in rows if row[0] == "head"),
        entries={row[1]: _entry(row) for row in rows if row[0] not in ("head", "place")},
        place=next(row[1] for row in rows if row[0] == "place"),
    )


def _entry(row: Sequence[Any]) -> RevisionEntry:
    state, _, checksum, fingerprint, run_id, fence, applied_at, how = row
    return RevisionEntry(
        state=state,
        checksum=checksum,
        fingerprint=fingerprint,
        run_id=run_id or "",
        fence=fence or 0,
        applied_at=applied_at,
        word=how or Origin.APPLIED.value,
    )


def place(ask: Ask) -> str:
    """Ask which server, database and schema answer."""
    ((found,),) = ask(f"SELECT {_PLACE}", {})
    return str(found)


def heads(ask: Ask, tables: Tables) -> Sequence[str]:
    """Read Alembic's heads alone."""
    ((there,),) = ask("SELECT to_regclass(:versions) IS NOT NULL", {"versions": tables.versions})
    if not there:
        return []
    return [str(row[0]) for row in ask(f"SELECT version_num FROM {tables.versions}", {})]  # noqa: S608


def lock(ask: Ask, tables: Tables) -> None:
    """Wait until no other writer of this history is in a transaction, then keep the others waiting."""
    ask("SELECT pg_advisory_xact_lock(:key)", {"key": tables.lock_key})


def keep_hands_off(ask: Ask, tables: Tables) -> None:
    """Make an `alembic` that is run by hand wait for our transaction before it moves a head."""
    ((there,),) = ask("SELECT to_regclass(:versions) IS NOT NULL", {"versions": tables.versions})
    if there:
        ask(f"LOCK TABLE {tables.versions} IN SHARE ROW EXCLUSIVE MODE", {})


def claim(ask: Ask, tables: Tables, lease: Lease) -> None:
    """
    Create our tables where they are missing, and record the lease's fence as the highest.

    Args:
        ask: Sends a statement; all of them in one transaction.
        tables: Names of the tables.
        lease: The lease of the caller.

    Raises:
        StaleFence: A later holder has been here.
    """
    lock(ask, tables)
    ((there,),) = ask(
        "SELECT to_regclass(:fences) IS NOT NULL AND EXISTS (SELECT FROM pg_attribute WHERE attname = 'how'"
        " AND attrelid = to_regclass(:entries))",
        {"fences": tables.fences, "entries": tables.entries},
    )
    if not there:
        for statement in _creation(tables):
            ask(statement, {})
    accepted = ask(
        f"INSERT INTO {tables.fences} AS kept (version_table, fence) VALUES (:version_table, :fence)"  # noqa: S608
        " ON CONFLICT (version_table) DO UPDATE SET fence = excluded.fence WHERE kept.fence <= excluded.fence"
        " RETURNING fence",
        {"version_table": tables.version_table, "fence": lease.fence},
    )
    if not accepted:
        raise _stale(lease)


def _creation(tables: Tables) -> Sequence[str]:
    entries = (
        "version_table text NOT NULL, revision text NOT NULL,"
        " state text NOT NULL CHECK (state IN ('applying', 'applied', 'reverting')), checksum text,"
        " fingerprint text, run_id text NOT NULL, fence bigint NOT NULL, applied_at timestamptz NOT NULL,"
        " PRIMARY KEY (version_table, revision)"
    )
    return (
        f"CREATE TABLE IF NOT EXISTS {tables.entries} ({entries})",
        # Tables that an earlier version made lack it.
        f"ALTER TABLE {tables.entries} ADD COLUMN IF NOT EXISTS how text",
        f"CREATE TABLE IF NOT EXISTS {tables.fences} (version_table text PRIMARY KEY, fence bigint NOT NULL)",
    )


def require_fence(ask: Ask, tables: Tables, lease: Lease) -> None:
    """
    Check the fence and keep later holders from claiming until this transaction ends.

    Raises:
        StaleFence: A later holder has been here.
    """
    rows = ask(
        f"SELECT fence FROM {tables.fences} WHERE version_table = :version_table FOR SHARE",  # noqa: S608
        {"version_table": tables.version_table},
    )
    if not rows or rows[0][0] > lease.fence:
        raise _stale(lease)


def _stale(lease: Lease) -> StaleFence:
    return StaleFence(
        f"The Alembic ledger has seen a later fencing token than {lease.fence}.",
        hint="Another run took over. Run the command again; it continues from what is recorded.",
    )


def state_of(ask: Ask, tables: Tables, step: Step) -> str:
    """Return the state of a step's entry; empty where there is none."""
    values = {"version_table": tables.version_table, "revision": step.key.name}
    which = "version_table = :version_table AND revision = :revision"
    rows = ask(f"SELECT state FROM {tables.entries} WHERE {which}", values)  # noqa: S608
    return str(rows[0][0]) if rows else ""


def write(
    ask: Ask, tables: Tables, step: Step, lease: Lease, state: str, how: Origin = Origin.APPLIED
) -> None:
    """
    Record a step in a state, over whatever entry it has.

    Args:
        ask: Sends a statement.
        tables: Names of the tables.
        step: The step.
        lease: The lease of the caller.
        state: One of the three states.
        how: How it came to be applied.
    """
    values = {
        "state": state,
        "checksum": step.source.checksum,
        "fingerprint": step.source.fingerprint,
        "run_id": lease.run_id,
        "fence": lease.fence,
        "how": how.value,
    }
    changed = ", ".join(f"{name} = excluded.{name}" for name in (*values, "applied_at"))
    ask(
        f"INSERT INTO {tables.entries} (version_table, revision, applied_at, {', '.join(values)})"  # noqa: S608
        f" VALUES (:version_table, :revision, clock_timestamp(), {', '.join(f':{name}' for name in values)})"
        f" ON CONFLICT (version_table, revision) DO UPDATE SET {changed}",
        {"version_table": tables.version_table, "revision": step.key.name, **values},
    )


def mark(ask: Ask, tables: Tables, step: Step, state: str) -> None:
    """Change the state of a step's entry, if it has one, and nothing else."""
    ask(
        f"UPDATE {tables.entries} SET state = :state WHERE version_table = :version_table"  # noqa: S608
        " AND revision = :revision",
        {"version_table": tables.version_table, "revision": step.key.name, "state": state},
    )


def strike(ask: Ask, tables: Tables, step: Step) -> None:
    """Remove a step's entry."""
    ask(
        f"DELETE FROM {tables.entries} WHERE version_table = :version_table AND revision = :revision",  # noqa: S608
        {"version_table": tables.version_table, "revision": step.key.name},
    )


def id_width(ask: Ask, tables: Tables) -> int | None:
    """Return how many characters of an id Alembic's table takes; None where there is no limit."""
    found = ask(
        "SELECT atttypmod - 4 FROM pg_attribute WHERE attrelid = to_regclass(:versions)"
        " AND attname = 'version_num' AND atttypmod > 4",
        {"versions": tables.versions},
    )
    return int(found[0][0]) if found else None


def drop_if_invalid(ask: Ask, index: str) -> bool:
    """
    Drop an index that is there and not usable.

    Args:
        ask: Sends a statement.
        index: Its name, quoted.

    Returns:
        Whether there was one.
    """
    found = ask(
        "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(:name) AND NOT indisvalid", {"name": index}
    )
    if found:
        ask(f"DROP INDEX {index}", {})
    return bool(found)
