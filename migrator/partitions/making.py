"""The empty partitioned table, and what its comment keeps about the conversion."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime

from migrator.partitions.declaration import ByTime
from migrator.partitions.layout import Part, literal, parts_of
from migrator.partitions.refusals import Bystanders
from migrator.partitions.table import Catalog, Table, listed, quoted
from migrator.partitions.wanted import Wanted, statements

_MARK = "accord partitions "
_GRANTS = """
SELECT format('GRANT %%s ON %%s TO %%s%%s', g.privilege_type, %s,
              CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END,
              CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM pg_class c, aclexplode(c.relacl) g WHERE c.oid = %s AND g.grantee <> c.relowner
UNION ALL
SELECT format('GRANT %%s (%%I) ON %%s TO %%s%%s', g.privilege_type, a.attname, %s,
              CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END,
              CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM pg_attribute a, aclexplode(a.attacl) g WHERE a.attrelid = %s AND NOT a.attisdropped
"""
_COMMENT = "SELECT obj_description(to_regclass(%s), 'pg_class')"


@dataclass(frozen=True, kw_only=True)
class Progress:
    """
    How far a copy is; kept in the comment of the new table, and written in the transaction of each batch.

    Attributes:
        digest: Of what was declared.
        after: Key of the last row that was copied, as texts; none before the first.
        until: Key of the last row to copy; what came later, the mirror brings.
        rows: How many were copied.
        copied: Whether all are.
    """

    digest: str
    after: tuple[str, ...] = ()
    until: tuple[str, ...] = ()
    rows: int = 0
    copied: bool = False

    @property
    def text(self) -> str:
        """What the comment says."""
        return _MARK + json.dumps(asdict(self), separators=(",", ":"))


def progress_of(catalog: Catalog, new: str) -> Progress | None:
    """Read how far the copy into a table is; None where no conversion has made it."""
    text = str(catalog.one(_COMMENT, [new]) or "")
    if not text.startswith(_MARK):
        return None
    said = json.loads(text.removeprefix(_MARK))
    return Progress(**{**said, "after": tuple(said["after"]), "until": tuple(said["until"])})


def note(catalog: Catalog, new: str, progress: Progress) -> None:
    """Keep how far the copy is, in the transaction that is open."""
    catalog.send(f"COMMENT ON TABLE {new} IS {literal(progress.text)}")


def planned_parts(catalog: Catalog, wanted: Wanted, table: Table) -> Sequence[Part]:
    """
    Return the partitions that the rows of a table, and time, ask for.

    Raises:
        UsageError: They would be too many.
    """
    kind, by = column_type(table, wanted.key), wanted.declared.by
    oldest, newest = (
        extremes(catalog, wanted.table, wanted.key, kind) if isinstance(by, ByTime) else (None, None)
    )
    today = datetime.now(UTC).date()
    return parts_of(wanted.name, by, kind=kind, oldest=oldest, newest=newest, today=today)


def extremes(catalog: Catalog, table: str, key: str, kind: str) -> tuple[date | None, date | None]:
    """Return the days, in UTC, of the oldest and of the newest row of a table."""
    zone = " AT TIME ZONE 'UTC'" if kind == "timestamp with time zone" else ""
    each = (f"CAST({name}({quoted(key)}){zone} AS date)" for name in ("min", "max"))
    finite = f"WHERE isfinite({quoted(key)})"
    ((oldest, newest),) = catalog.rows(f"SELECT {', '.join(each)} FROM {table} {finite}")
    return oldest, newest


def column_type(table: Table, name: str) -> str:
    """Return the type of a column; empty where there is none."""
    column = table.column(name)
    return column.type if column else ""


def bystanders(catalog: Catalog, wanted: Wanted, table: Table) -> Bystanders:
    """Ask what is about a table, and not in it."""
    column = table.column(wanted.key)
    nulls = column is not None and not column.required
    asked = f"SELECT EXISTS (SELECT FROM {wanted.table} WHERE {quoted(wanted.key)} IS NULL)"
    return Bystanders(
        hanging=catalog.hanging(table),
        unproved=catalog.unproved(table),
        published=catalog.published(table),
        nulls=nulls and bool(catalog.one(asked)),
    )


def making(catalog: Catalog, wanted: Wanted, table: Table) -> Sequence[str]:
    """Return the statements that make the new table, the last of which notes that nothing is copied yet."""
    grants = [row[0] for row in catalog.rows(_GRANTS, [wanted.new, table.oid, wanted.new, table.oid])]
    comment = f"COMMENT ON TABLE {wanted.new} IS {literal(Progress(digest=wanted.digest).text)}"
    return [
        *([] if table.own else [f"SET LOCAL ROLE {table.owner}"]),
        *statements(wanted, table, planned_parts(catalog, wanted, table), grants),
        comment,
    ]


def bounded(catalog: Catalog, wanted: Wanted, table: Table, progress: Progress) -> Progress:
    """Return a copy's progress with the key of the last row that there is to copy."""
    keys = table.primary_key
    backwards = ", ".join(f"{quoted(key)} DESC" for key in keys)
    found = catalog.rows(f"SELECT {as_text(keys)} FROM {wanted.table} ORDER BY {backwards} LIMIT 1")
    return replace(progress, until=tuple(found[0])) if found else replace(progress, copied=True)


def as_text(keys: Sequence[str]) -> str:
    """Return keys as texts, in a list; under other names, since rows go by the keys and not by these."""
    return ", ".join(f"CAST({quoted(key)} AS text) AS accord_{place}" for place, key in enumerate(keys))


def beyond(table: Table, sign: str, before: str = "") -> str:
    """Return the condition of rows before or behind a key that is given as texts."""
    keys = table.primary_key
    marks = ", ".join(f"CAST(%s AS {column_type(table, key)})" for key in keys)
    return f"({listed(keys, before)}) {sign} ({marks})"
