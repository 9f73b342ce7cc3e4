"""Who has been at work on tables for long, asked before a run begins to wait for them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from accord.locks.blockers import Blocker, skeleton
from accord.secrets.redact import redact
from accord.words import duration

LONG = 10.0
"""Seconds from which on a transaction is told of: it will still be there when the step comes."""
# Of a prepared transaction, its lock on itself tells which it is: `virtualtransaction` is that of the session
# that made it, which has begun others since, until the server starts anew.
QUERY = """
SELECT named.name, a.pid, a.usename, a.application_name, a.state,
       CAST(extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, p.prepared)) AS float8) AS age,
       a.query, p.gid, p.owner
FROM unnest(CAST(%s AS text[]), CAST(%s AS text[])) AS named(name, quoted)
JOIN pg_locks l ON l.relation = to_regclass(named.quoted) AND l.granted AND l.locktype = 'relation'
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
LEFT JOIN pg_locks own ON l.pid IS NULL AND own.pid IS NULL AND own.locktype = 'transactionid'
    AND own.virtualtransaction = l.virtualtransaction
LEFT JOIN pg_prepared_xacts p ON p.transaction = own.transactionid
WHERE l.pid IS DISTINCT FROM pg_backend_pid()
    AND (p.gid IS NOT NULL OR a.xact_start < clock_timestamp() - make_interval(secs => %s))
ORDER BY age DESC, named.name
"""
"""Takes the names of tables, the same as SQL writes them, and seconds."""
NAMED = QUERY % (":names", ":quoted", ":seconds")
"""The same with names for what it takes."""


@dataclass(frozen=True, kw_only=True)
class Occupant:
    """
    A transaction that has tables open.

    Attributes:
        tables: Their names.
        who: The session, or the prepared transaction, for people.
    """

    tables: tuple[str, ...]
    who: str

    def __str__(self) -> str:
        """Write it for people."""
        return f"{', '.join(self.tables)}: held open by {self.who}. Steps that change it wait for that."


def names_of(tables: Collection[str]) -> tuple[list[str], list[str]]:
    """
    Return names of tables, and the same as SQL writes them.

    Args:
        tables: With a schema before a dot, or as models write them, or without.
    """
    names = sorted(tables)
    return names, [_quoted(name) for name in names]


def _quoted(name: str) -> str:
    if '"' in name:  # a model's, which has its schema in it: `app"."thing`
        return name if name.startswith('"') else f'"{name}"'
    return ".".join(f'"{part}"' for part in name.split("."))


def occupants_of(rows: Sequence[Sequence[Any]]) -> Iterator[Occupant]:
    """
    Read an answer to :data:`QUERY`.

    Args:
        rows: What the server gave.

    Yields:
        Each transaction once, the oldest first.
    """
    tables: dict[tuple[Any, Any], dict[str, None]] = {}
    who: dict[tuple[Any, Any], str] = {}
    for row in rows:
        key = (row[1], row[7])
        tables.setdefault(key, {})[row[0]] = None
        who.setdefault(key, _who(row))
    for key, names in tables.items():
        yield Occupant(tables=tuple(names), who=who[key])


def _who(row: Sequence[Any]) -> str:
    _, pid, user, application, state, age, query, gid, owner = row
    if gid is not None:
        return (
            f"the prepared transaction “{redact(gid)}” of {owner}, for {duration(age)}; COMMIT PREPARED or "
            "ROLLBACK PREPARED ends it, and nothing else"
        )
    return str(
        Blocker(
            pid=pid,
            user=user,
            application=application or None,
            state=state,
            age=age,
            query=skeleton(query or ""),
        )
    )
