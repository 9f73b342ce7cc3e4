"""All that shows rows in a PostgreSQL database: tables, views, copies, foreign tables, in any schema."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from django.db import connections
from django.db.backends.utils import CursorWrapper

from gdpr.datamap.presets.suite import BOOKS

_IN_A_SCHEMA = '"."'
"""How the name of a model's table places it in a schema: Django quotes around it."""

# What sessions keep for themselves (pg_temp) and what PostgreSQL does, under names that nobody else may use.
# While a table is divided into partitions, a trigger has another copy of it written along.
_RELATIONS = """
    WITH mirrors AS (
        SELECT p.prosrc FROM pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid
        WHERE starts_with(g.tgname, 'accord_mirror') AND g.tgparentid = 0 AND g.tgenabled = 'A'
    )
    SELECT c.oid, n.nspname, c.relname, c.relkind::text, pg_table_is_visible(c.oid),
        c.relispartition OR EXISTS (SELECT FROM mirrors WHERE strpos(prosrc, 'INTO "'
            || replace(n.nspname, '"', '""') || '"."' || replace(c.relname, '"', '""') || '" (') > 0)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
        AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%%'
        AND NOT (c.relkind = 'v' AND EXISTS (
            SELECT 1 FROM pg_depend d
            WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
        ))
    ORDER BY n.nspname, c.relname
"""
_COLUMNS = """
    SELECT a.attrelid, a.attname,
        CASE
            WHEN t.typtype = 'd' THEN format_type(t.typbasetype, NULL)
            WHEN t.typnamespace <> 'pg_catalog'::regnamespace AND t.typelem = 0 THEN 'USER-DEFINED'
            ELSE format_type(a.atttypid, NULL)
        END
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid = ANY (%s)
    ORDER BY a.attrelid, a.attnum
"""
# What the rule of a view reads: relations, and functions that give rows, wherever these come from.
_READS = """
    SELECT DISTINCT r.ev_class, d.refclassid = 'pg_class'::regclass, d.refobjid
    FROM pg_rewrite r
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
    LEFT JOIN pg_proc f ON d.refclassid = 'pg_proc'::regclass AND f.oid = d.refobjid
    WHERE r.ev_class = ANY (%s) AND d.refobjid <> r.ev_class
        AND (d.refclassid = 'pg_class'::regclass OR f.proretset)
"""


class Kind(enum.StrEnum):
    """What shows rows, as PostgreSQL's catalogue calls it."""

    TABLE = "r"
    PARTITIONED = "p"
    VIEW = "v"
    MATERIALISED = "m"
    FOREIGN = "f"


@dataclass(frozen=True, kw_only=True)
class Relation:
    """
    One thing that shows rows.

    Attributes:
        oid: PostgreSQL's number of it.
        name: As the data map has it: with its schema where the search path doesn't lead to it.
        schema: Its schema.
        table: Its name within that.
        kind: What it is.
        is_part: Whether it is a partition, or a copy that a trigger keeps in step, so that its rows are those
            of another table.
        columns: Columns and their types.
    """

    oid: int
    name: str
    schema: str
    table: str
    kind: Kind
    is_part: bool
    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def stores(self) -> bool:
        """Return whether it has rows of its own, which are not those of another one."""
        return self.kind is not Kind.VIEW and not self.is_part

    @property
    def in_words(self) -> str:
        """Say what it is."""
        words = {
            Kind.VIEW: "view",
            Kind.MATERIALISED: "materialised view",
            Kind.FOREIGN: "foreign table",
        }
        return words.get(self.kind, "table")


class Relations:
    """
    What a live database has.

    Args:
        alias: The alias in `DATABASES`.
    """

    def __init__(self, alias: str) -> None:
        self._alias = alias

    @cached_property
    def all(self) -> Mapping[int, Relation]:
        """Every one, by its number."""
        with connections[self._alias].cursor() as cursor:
            cursor.execute(_RELATIONS)
            found = cursor.fetchall()
            columns = _columns(cursor, [oid for oid, *_ in found])
        return {
            oid: Relation(
                oid=oid,
                name=table if visible else f"{schema}.{table}",
                schema=schema,
                table=table,
                kind=Kind(kind),
                is_part=is_part,
                columns=columns.get(oid, {}),
            )
            for oid, schema, table, kind, visible, is_part in found
        }

    @cached_property
    def _by_name(self) -> Mapping[str, Relation]:
        names = {one.name: one for one in self.all.values()}
        placed = {f"{one.schema}{_IN_A_SCHEMA}{one.table}": one for one in self.all.values()}
        qualified = {f"{one.schema}.{one.table}": one for one in self.all.values()}
        return {**qualified, **placed, **names}

    def named(self, name: str | None) -> Relation | None:
        """Return what an entry or a model means by a name; None where there is no such thing."""
        return self._by_name.get(name) if name is not None else None

    def to_classify(self) -> Iterator[Relation]:
        """
        Yield what has to have an entry.

        Not the suite's own books, and nothing that only shows rows of what is here to be classified:
        partitions, copies that a trigger keeps in step, and views over tables. A view that reads from
        elsewhere stays.
        """
        for relation in self.all.values():
            is_own = relation.table in BOOKS
            if not is_own and (relation.stores or relation.oid in self._views_of_elsewhere):
                yield relation

    @cached_property
    def _views_of_elsewhere(self) -> frozenset[int]:
        """Views over no table, over the server's own ones, or over what functions give."""
        views = [one.oid for one in self.all.values() if one.kind is Kind.VIEW]
        with connections[self._alias].cursor() as cursor:
            cursor.execute(_READS, [views])
            read: dict[int, list[int]] = {view: [] for view in views}
            for view, is_relation, oid in cursor.fetchall():
                # A number that is none of a relation's stands for a function.
                read[view].append(oid if is_relation else 0)
        return frozenset(
            view
            for view, sources in read.items()
            if not sources or any(one not in self.all for one in sources)
        )


def _columns(cursor: CursorWrapper, oids: Sequence[int]) -> Mapping[int, dict[str, str]]:
    cursor.execute(_COLUMNS, [list(oids)])
    found: dict[int, dict[str, str]] = {}
    for oid, name, kind in cursor.fetchall():
        found.setdefault(oid, {})[name] = kind
    return found
