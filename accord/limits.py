"""
What a PostgreSQL that can be reached runs out of, or doesn't wait for: each its own sentence and next move.

None of it is a fault of the statement, so “correct the migration” would be no help.
"""

from __future__ import annotations

from dataclasses import dataclass

from accord.connecting import code_of


@dataclass(frozen=True, kw_only=True)
class Limit:
    """
    A limit that a statement ran into.

    Attributes:
        says: What the server did, as the predicate of a sentence.
        hint: The next move.
    """

    says: str
    hint: str


_AGAIN = "then run the same command again"
DISK = Limit(
    says="has no room left on its disk",
    hint=f"Make room on the server, or move its data to a larger disk, {_AGAIN}.",
)
MEMORY = Limit(
    says="has no memory left for this", hint=f"Free memory on the server or lower work_mem, {_AGAIN}."
)
SETTING = Limit(
    says="reached a limit of its own configuration",
    hint=f"Raise the setting that it names for our user (ALTER ROLE … SET …), or let it do less at a time, "
    f"{_AGAIN}.",
)
TIME = Limit(
    says="ended the statement: it took longer than allowed, or a person cancelled it",
    hint="If statement_timeout is set, raise it for our user (ALTER ROLE … SET statement_timeout) or let the "
    f"statement do less at a time; {_AGAIN}.",
)
LOCK = Limit(
    says="didn't get a lock in the time that lock_timeout allows",
    hint=f"Another session uses the table: pg_stat_activity shows which. Wait for it or end it, {_AGAIN}.",
)
DEADLOCK = Limit(
    says="ended the transaction: it and another one waited for each other",
    hint="Nothing of it stands. Run the same command again; while writers are quiet, if it comes back.",
)

_BY_CODE = {
    "53100": DISK,
    "53200": MEMORY,
    "53400": SETTING,
    "57014": TIME,
    "55P03": LOCK,
    "40P01": DEADLOCK,
    "40001": DEADLOCK,
}


def limit_of(error: BaseException) -> Limit | None:
    """Return the limit that an error of Django or its driver is about; None where it is about none."""
    return _BY_CODE.get(code_of(error) or "")
