"""What PostgreSQL says of objects: how it writes them, what stands on them, and what a statement touched."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from migrator.objects.source import ObjectSource

Address = tuple[int, int]
"""Oid of a catalog, and oid of its row."""

# A view's row type and rule belong to it. What goes with its table by itself (an index) is not named: how the
# server writes a materialised view has its indexes in it, so that a foreign one is seen before.
_ABOVE = """
WITH RECURSIVE above(classid, objid, depth) AS (
    SELECT %(catalog)s::regclass::oid, %(oid)s::oid, 0
    UNION
    SELECT found.classid, found.objid, above.depth + 1 FROM above CROSS JOIN LATERAL (
        SELECT CASE WHEN r.oid IS NULL THEN d.classid ELSE 'pg_class'::regclass::oid END AS classid,
            coalesce(r.ev_class, d.objid) AS objid
        FROM pg_depend d LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
        WHERE d.refclassid = above.classid AND d.refobjid = above.objid
    ) found
    WHERE (found.classid, found.objid) <> (above.classid, above.objid) AND above.depth < 100
)
SELECT above.classid, above.objid, pg_describe_object(above.classid, above.objid, 0), max(depth)
FROM above LEFT JOIN pg_type t ON above.classid = 'pg_type'::regclass AND t.oid = above.objid
    LEFT JOIN pg_class c ON above.classid = 'pg_class'::regclass AND c.oid = above.objid
WHERE depth > 0 AND t.oid IS NULL AND c.relkind IS DISTINCT FROM 'i' AND c.relkind IS DISTINCT FROM 't'
GROUP BY 1, 2 ORDER BY 4, 3
"""
# Rows that this transaction wrote: of no other one can a row be seen before that ends.
_TOUCHED = """
WITH own AS (SELECT txid_current() AS id),
rows AS (
    SELECT 'pg_class'::regclass::oid AS classid, oid, xmin FROM pg_class
        WHERE relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
    UNION ALL SELECT 'pg_proc'::regclass::oid, oid, xmin FROM pg_proc
    UNION ALL SELECT 'pg_policy'::regclass::oid, oid, xmin FROM pg_policy
    UNION ALL SELECT 'pg_type'::regclass::oid, oid, xmin FROM pg_type WHERE typtype IN ('e', 'd')
    UNION ALL SELECT 'pg_trigger'::regclass::oid, oid, xmin FROM pg_trigger WHERE NOT tgisinternal
), written AS (
    SELECT classid, oid, (own.id >> 32 << 32) + xmin::text::bigint AS writer, own.id FROM rows, own
)
SELECT classid, oid, pg_describe_object(classid, oid, 0) FROM written
WHERE CASE WHEN writer >= id THEN txid_status(writer) = 'in progress' ELSE false END
"""
_SECURITY = """
SELECT relrowsecurity::text || ' ' || relforcerowsecurity::text
FROM pg_class WHERE oid = to_regclass(%(table)s)
"""
_POLICIES = "SELECT 1 FROM pg_policy WHERE polrelid = to_regclass(%(table)s)"
_ENFORCED = "+enforced"


def is_same(recorded: str, live: str) -> bool:
    """
    Return whether an object is as it was.

    A policy that another file's text had enforced since is; one that was enforced and isn't any more is not.

    Args:
        recorded: The hash that was kept.
        live: That of now.
    """
    return live in (recorded, recorded + _ENFORCED)


@dataclass(frozen=True, kw_only=True)
class Above:
    """
    Something that stands on an object.

    Attributes:
        address: Which.
        words: What PostgreSQL calls it.
    """

    address: Address
    words: str


class Catalog:
    """
    One database's catalog, asked in whatever transaction is open.

    Args:
        connection: Of the database.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def rows(self, sql: str, values: Mapping[str, Any] | None = None) -> Sequence[tuple[Any, ...]]:
        """Ask."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall()) if cursor.description else []

    def send(self, sql: str) -> None:
        """Send a text of statements as it is."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql)

    def oid(self, source: ObjectSource) -> int | None:
        """Return the oid of an object; None while it isn't there."""
        found = self.rows(source.kind.located, source.arguments)
        return found[0][0] if found else None

    def address(self, source: ObjectSource) -> Address | None:
        """Return where an object is in the catalog; None while it isn't there, or is a part of one."""
        oid = self.oid(source) if source.kind.catalog else None
        return None if oid is None else (self._class(source.kind.catalog), oid)

    def live(self, source: ObjectSource) -> str | None:
        """
        Hash how the server writes an object.

        Returns:
            Its major version and the hash, as versions write differently; None while there is no object.
        """
        oid = self.oid(source)
        if oid is None:
            return None
        ((*parts,),) = self.rows(source.kind.rendered, {"oid": oid})
        text = "\0".join(str(part) for part in parts if part is not None)
        enforced = _ENFORCED if source.kind.secures and self.security(source).startswith("true") else ""
        return f"{self._major}:{hashlib.sha256(text.encode()).hexdigest()}{enforced}"

    def is_comparable(self, live: str) -> bool:
        """Return whether a hash was made by a server of this version."""
        return live.startswith(f"{self._major}:")

    def security(self, source: ObjectSource) -> str:
        """
        Return whether the table of a policy enforces policies, and on its owner as well.

        Returns:
            Two words, `true` or `false`; empty for an object that is no policy, or where there is no table.
        """
        if not source.kind.secures:
            return ""
        found = self.rows(_SECURITY, source.arguments)
        return str(found[0][0]) if found else ""

    def put_security_back(self, source: ObjectSource, before: str) -> bool:
        """
        Let a table enforce policies as it did before a text.

        Args:
            source: The text of a policy.
            before: What :meth:`security` said then.

        Returns:
            False where that is left, because policies would go on standing there that nobody keeps to.
        """
        now = self.security(source)
        if not before or not now or before == now:
            return True
        enabled, forced = (word == "true" for word in before.split())
        if not enabled and self.rows(_POLICIES, source.arguments):
            return False
        table = source.arguments["table"]
        self.send(f"ALTER TABLE {table} {'ENABLE' if enabled else 'DISABLE'} ROW LEVEL SECURITY")
        self.send(f"ALTER TABLE {table} {'FORCE' if forced else 'NO FORCE'} ROW LEVEL SECURITY")
        return True

    def above(self, address: Address) -> Sequence[Above]:
        """Return what stands on an object, nearest first."""
        ((catalog,),) = self.rows("SELECT %(oid)s::oid::regclass::text", {"oid": address[0]})
        found = self.rows(_ABOVE, {"catalog": catalog, "oid": address[1]})
        return [Above(address=(row[0], row[1]), words=row[2]) for row in found]

    def touched(self) -> Mapping[Address, str]:
        """Return what this transaction has made or changed until now, with what PostgreSQL calls it."""
        return {(row[0], row[1]): row[2] for row in self.rows(_TOUCHED)}

    def table_of(self, source: ObjectSource) -> Collection[Address]:
        """Return the table that an object is on, where it is on one, or belongs to."""
        if source.kind.catalog and not source.kind.on_table:
            return ()
        asked = (
            "SELECT to_regclass(%(table)s)::oid"
            if source.kind.on_table
            else "SELECT to_regclass(%(name)s)::oid"
        )
        ((oid,),) = self.rows(asked, source.arguments)
        return () if oid is None else ((self._class("pg_class"), oid),)

    def kept(self, source: ObjectSource) -> Sequence[str]:
        """Return the statements that give an object made anew the grants and the owner that it has now."""
        oid = self.oid(source)
        if oid is None or not source.kind.kept:
            return ()
        return [row[0] for row in self.rows(source.kind.kept, {**source.arguments, "oid": oid})]

    def is_closed(self, source: ObjectSource) -> bool:
        """Return whether everybody was kept from a routine."""
        oid = self.oid(source)
        if oid is None or not source.kind.closed:
            return False
        return bool(self.rows(source.kind.closed, {"oid": oid})[0][0])

    def has_grants(self, source: ObjectSource) -> bool:
        """Return whether a routine's privileges are others than those that it is born with."""
        values = {"oid": self.oid(source)}
        return bool(self.rows("SELECT proacl IS NOT NULL FROM pg_proc WHERE oid = %(oid)s", values)[0][0])

    def comment(self, source: ObjectSource) -> str | None:
        """Return what was written about an object (`COMMENT ON`)."""
        oid = self.oid(source)
        values = {"oid": oid, "catalog": source.kind.catalog}
        found = self.rows("SELECT obj_description(%(oid)s, %(catalog)s)", values) if oid else ()
        return found[0][0] if found else None

    def quoted(self, text: str) -> str:
        """Return a text as SQL writes it."""
        ((found,),) = self.rows("SELECT quote_literal(%(text)s)", {"text": text})
        return str(found)

    def _class(self, catalog: str) -> int:
        ((oid,),) = self.rows("SELECT %(name)s::regclass::oid", {"name": catalog})
        return int(oid)

    @property
    def _major(self) -> int:
        return int(self._connection.pg_version) // 10000
