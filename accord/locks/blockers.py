"""Who keeps a session of PostgreSQL waiting: asked of the server, told without the values in statements."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from accord.secrets.redact import redact
from accord.words import duration

Ask = Callable[[str], Sequence[Sequence[Any]]]
"""Sends one of the questions below and gives its rows."""

_QUERY = """
SELECT l.mode, l.relation::regclass::text, b.pid, a.usename, a.application_name, a.state,
       CAST(extract(epoch FROM clock_timestamp() - a.xact_start) AS float8), a.query, l.relation
FROM pg_locks l
LEFT JOIN unnest(pg_blocking_pids(l.pid)) AS b(pid) ON true
LEFT JOIN pg_stat_activity a ON a.pid = b.pid
WHERE l.pid = {pid} AND NOT l.granted
"""
_OCCUPIED = """
SELECT 1 FROM pg_locks
WHERE locktype = 'relation' AND relation = {oid} AND pid IS DISTINCT FROM {pid} AND mode NOT IN ({along})
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
LIMIT 1
"""
_ALONG = {
    "ShareUpdateExclusiveLock": ("AccessShareLock", "RowShareLock", "RowExclusiveLock"),
    "ShareLock": ("AccessShareLock", "RowShareLock", "ShareLock"),
    "ShareRowExclusiveLock": ("AccessShareLock", "RowShareLock"),
    "ExclusiveLock": ("AccessShareLock",),
}
"""With which locks of others one goes together; what isn't here is taken to go with none."""
_BECKON = """
DO {tag} BEGIN
    PERFORM set_config('lock_timeout', CAST(CAST(2000 + 2000 * extract(epoch FROM
        CAST(current_setting('deadlock_timeout') AS interval)) AS int) AS text), true);
    LOCK TABLE {relation} IN SHARE UPDATE EXCLUSIVE MODE;
END {tag}
"""
_TAG = "$beckon$"
_LITERAL = re.compile(r"'|\$\D|\$$|--|/\*")
_NUMBER = re.compile(r"\b\d[\d.]*\b")
_LONGEST = 80
_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Blocker:
    """
    A session that holds, or asked before us for, what we wait for.

    Attributes:
        pid: Its process; 0 for a transaction that was prepared and is in no session's hands.
        user: Its role; None where ours may not see it.
        application: What it calls itself.
        state: What it does: `active`, `idle in transaction`.
        age: Seconds since its transaction began.
        query: Its last statement up to the first value in it: a value may be personal.
    """

    pid: int
    user: str | None = None
    application: str | None = None
    state: str | None = None
    age: float | None = None
    query: str = ""

    def __str__(self) -> str:
        """Write it for people."""
        if not self.pid:
            return "a prepared transaction (pg_prepared_xacts tells which)"
        facts = [f"user {self.user}" if self.user else "", _quoted(self.application), self.state or ""]
        facts.append(f"in its transaction for {duration(self.age)}" if self.age is not None else "")
        facts.append(f"last: {self.query}" if self.query else "")
        told = ", ".join(filter(None, facts)) or "gone by now"
        return f"pid {self.pid} ({told})"


@dataclass(frozen=True, kw_only=True)
class Wait:
    """
    What a session waits for.

    Attributes:
        mode: The lock, as the server names it.
        relation: The table, or index, where it is one.
        oid: Its number; 0 where there is none.
        blockers: Who is in the way.
    """

    mode: str
    relation: str = ""
    oid: int = 0
    blockers: tuple[Blocker, ...] = ()

    @property
    def what(self) -> str:
        """What is waited for, in a sentence."""
        return f"{self.mode} on {self.relation}" if self.relation else "transactions that are open"

    @property
    def who(self) -> str:
        """Who is in the way, in a sentence."""
        shown = "; ".join(map(str, self.blockers[:_SHOWN]))
        more = len(self.blockers) - _SHOWN
        return f"{shown}; and {more} more" if more > 0 else shown


def beckoning(relation: str) -> str:
    """
    Return a statement that waits until a table has neither maintenance nor a change of its form under way.

    It has the server end an autovacuum, which takes `deadlock_timeout`. Readers and writers don't wait
    behind it, and it leaves nothing.

    Args:
        relation: The table, as the server writes its name.
    """
    if _TAG in relation:
        return "SELECT 1"
    return _BECKON.format(tag=_TAG, relation=relation)


def question(pid: int) -> str:
    """
    Return a statement that asks what a session waits for, and for whom.

    Args:
        pid: Its process.
    """
    return _QUERY.format(pid=int(pid))


def occupied(wait: Wait, pid: int | None) -> str:
    """
    Return a statement that gives a row while somebody has, or wants, a lock that keeps ours out.

    Args:
        wait: What we wait for, on a table.
        pid: Our process, which is in nobody's way; None where it isn't known.
    """
    along = ", ".join(f"'{mode}'" for mode in _ALONG.get(wait.mode, ())) or "''"
    return _OCCUPIED.format(oid=int(wait.oid), pid=int(pid or 0), along=along)


def wait_of(rows: Sequence[Sequence[Any]]) -> Wait | None:
    """
    Read an answer to :func:`question`.

    Returns:
        None where the session waits for nothing.
    """
    if not rows:
        return None
    blockers = {row[2]: _blocker(row) for row in rows if row[2] is not None}
    mode, relation, *_, oid = rows[0]
    return Wait(mode=mode, relation=relation or "", oid=oid or 0, blockers=tuple(blockers.values()))


def _blocker(row: Sequence[Any]) -> Blocker:
    _, _, pid, user, application, state, age, query, _ = row
    return Blocker(
        pid=pid,
        user=user,
        application=application or None,
        state=state,
        age=age,
        query=skeleton(query or ""),
    )


def skeleton(query: str) -> str:
    """
    Return the beginning of a statement, up to the first value or comment: either may hold anything.

    Args:
        query: As the server shows it, which cuts long ones.
    """
    shown = _NUMBER.sub("?", " ".join(_LITERAL.split(query, maxsplit=1)[0].split()))
    shown = redact(shown)
    return (
        f"{shown[:_LONGEST].rstrip()} …"
        if shown and (len(shown) > _LONGEST or _LITERAL.search(query))
        else shown
    )


def _quoted(application: str | None) -> str:
    return f"application “{redact(application)}”" if application else ""
