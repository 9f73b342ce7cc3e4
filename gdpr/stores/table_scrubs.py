"""Scrubbing tables of PostgreSQL: rewritten where they are small, vacuumed where they are not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from accord.connecting import code_of, trouble_of
from gdpr.stores.scrubs import Refusal, ScrubAct, Scrubbed

REWRITTEN = 64 * 1024 * 1024
"""Bytes up to which a table is written anew, with its indexes: about a second in which nobody reads it."""
_WAIT = "SET lock_timeout = '3s'"
_STATISTICS = "pg_catalog.pg_statistic"
_REFUSALS = {"55P03": Refusal.LOCK, "40P01": Refusal.LOCK, "42501": Refusal.RIGHT}
# VACUUM only warns of a table that is somebody else's, and passes it over.
_LOOK = """
    SELECT pg_total_relation_size(oid), pg_has_role(relowner, 'USAGE') FROM pg_class
    WHERE oid = to_regclass(%s)
"""


def scrub(alias: str, tables: Sequence[str]) -> list[Scrubbed]:
    """
    Scrub tables, the statistics of their columns, and the log.

    Args:
        alias: The database, of `DATABASES`.
        tables: Their names, as the models have them.
    """
    connection = connections[alias]
    if connection.vendor != "postgresql":
        return [Scrubbed(act=ScrubAct.VACUUM, target=table, refusal=Refusal.ENGINE) for table in tables]
    # A connection of its own: neither runs inside of a transaction, and the caller may have one.
    with closing(connection.copy()) as own, own.cursor() as cursor:
        cursor.execute(_WAIT)
        return list(_acts(own, cursor, tables))


def _acts(
    connection: BaseDatabaseWrapper, cursor: CursorWrapper, tables: Sequence[str]
) -> Iterator[Scrubbed]:
    for table in tables:
        yield _table(cursor, table, connection.ops.quote_name(table))
    yield _table(cursor, "pg_statistic", _STATISTICS)
    yield _done(cursor, "CHECKPOINT", ScrubAct.CHECKPOINT)
    yield _done(cursor, "SELECT pg_switch_wal()", ScrubAct.SWITCH_LOG)


def _table(cursor: CursorWrapper, table: str, quoted: str) -> Scrubbed:
    cursor.execute(_LOOK, [quoted])
    size, ours = cursor.fetchone() or (0, False)
    if not ours:
        return Scrubbed(act=ScrubAct.VACUUM, target=table, refusal=Refusal.RIGHT)
    if size <= REWRITTEN:
        rewritten = _done(cursor, f"VACUUM (FULL, ANALYZE) {quoted}", ScrubAct.REWRITE, table)
        if rewritten.refusal is Refusal.NONE:
            return rewritten
    return _done(cursor, f"VACUUM (ANALYZE) {quoted}", ScrubAct.VACUUM, table)


def _done(cursor: CursorWrapper, statement: str, act: ScrubAct, target: str = "") -> Scrubbed:
    try:
        cursor.execute(statement)
    except DatabaseError as exc:
        if trouble_of(exc):
            raise
        return Scrubbed(act=act, target=target, refusal=_REFUSALS.get(code_of(exc) or "", Refusal.ENGINE))
    return Scrubbed(act=act, target=target)
