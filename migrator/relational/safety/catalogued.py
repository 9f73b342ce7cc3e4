"""What the server has of a column: indexes, keys, sequence, and what would go with it unseen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from migrator.foretelling.tokens import plain, tokens_of
from migrator.relational.safety.widths import Wide

_COLUMN = """
SELECT a.attnotnull, CAST(a.attidentity AS text), pg_get_expr(d.adbin, d.adrelid),
       pg_get_serial_sequence(%s, a.attname), col_description(a.attrelid, a.attnum)
FROM pg_attribute a LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
WHERE a.attrelid = to_regclass(%s) AND a.attname = %s AND NOT a.attisdropped
"""
_INDEXES = """
SELECT x.relname, CAST(x.oid::regclass AS text), i.indisunique, pg_get_indexdef(x.oid), c.conname,
       CAST(c.contype AS text),
       EXISTS (SELECT FROM pg_attribute n WHERE (n.attrelid, n.attname) = (x.oid, a.attname))
FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = %s
LEFT JOIN pg_constraint c ON c.conindid = x.oid AND c.conrelid = i.indrelid AND c.contype IN ('p', 'u')
WHERE i.indrelid = to_regclass(%s) AND i.indisvalid AND (a.attnum = ANY(i.indkey) OR EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = x.oid
    AND d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum))
ORDER BY x.relname
"""
_REFERENCES = """
SELECT CAST(c.conrelid::regclass AS text), c.conname, coalesce(named.name, c.conname),
       pg_get_constraintdef(c.oid)
FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = to_regclass(%s) AND a.attname = %s
JOIN pg_attribute own ON own.attrelid = c.conrelid AND own.attnum = c.conkey[1]
LEFT JOIN unnest(CAST(%s AS text[]), CAST(%s AS text[]), CAST(%s AS text[])) AS named(place, col, name)
    ON to_regclass(named.place) = c.conrelid AND named.col = own.attname
WHERE c.contype = 'f' AND c.conparentid = 0 AND ((c.conrelid = a.attrelid AND c.conkey = ARRAY[a.attnum])
    OR (c.confrelid = a.attrelid AND c.confkey = ARRAY[a.attnum]))
ORDER BY c.conname
"""
# What comes again with the column isn't named: its default, sequence, NOT NULL, indexes and keys.
_HANGING = """
SELECT CASE WHEN r.oid IS NULL THEN pg_describe_object(d.classid, d.objid, d.objsubid)
            ELSE 'view ' || CAST(r.ev_class::regclass AS text) END
FROM pg_depend d JOIN pg_attribute a ON d.refobjid = a.attrelid AND d.refobjsubid = a.attnum
LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
LEFT JOIN pg_constraint c ON d.classid = 'pg_constraint'::regclass AND c.oid = d.objid
LEFT JOIN pg_class x ON d.classid = 'pg_class'::regclass AND x.oid = d.objid
LEFT JOIN pg_attrdef v ON d.classid = 'pg_attrdef'::regclass AND v.oid = d.objid
WHERE d.refclassid = 'pg_class'::regclass AND a.attrelid = to_regclass(%(table)s) AND a.attname = %(name)s
AND NOT coalesce(v.adnum = a.attnum, false) AND NOT coalesce(x.relkind IN ('S', 'i'), false)
AND NOT coalesce(c.contype = 'n' OR (c.contype IN ('p', 'u') AND NOT c.condeferrable)
    OR (c.contype = 'f' AND cardinality(c.conkey) = 1 AND c.convalidated), false)
UNION SELECT 'trigger ' || tgname FROM pg_trigger
WHERE tgrelid = to_regclass(%(table)s) AND NOT tgisinternal AND tgenabled <> 'D' AND (tgtype & 16) <> 0
    AND tgname NOT LIKE 'zz_accord_wide_%%'
UNION SELECT 'inheritance of ' || CAST(inhrelid::regclass AS text) FROM pg_inherits
WHERE to_regclass(%(table)s) IN (inhrelid, inhparent)
UNION SELECT 'grants on the column ' || attname FROM pg_attribute
WHERE attrelid = to_regclass(%(table)s) AND attname = %(name)s AND attacl IS NOT NULL
UNION SELECT 'replica identity ' || CAST(i.indexrelid::regclass AS text) FROM pg_index i
WHERE i.indrelid = to_regclass(%(table)s) AND i.indisreplident
ORDER BY 1
"""
_SEQUENCE = """
SELECT s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle FROM pg_sequence s
WHERE s.seqrelid = to_regclass(%s)
"""
_GRANTS = """
SELECT format('GRANT %%s ON SEQUENCE %%s TO %%s', g.privilege_type, %s,
              CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END)
FROM pg_class x, aclexplode(x.relacl) g WHERE x.oid = to_regclass(%s) AND g.grantee <> x.relowner ORDER BY 1
"""


@dataclass(frozen=True)
class Index:
    """
    An index that a column is part of.

    Attributes:
        name: Its name.
        place: As SQL has to write it.
        is_unique: Whether it is unique.
        definition: The statement that makes it.
        constraint: Of the constraint that it belongs to; empty if there is none.
        kind: `p` for a primary key, `u` for a unique constraint.
        named: The columns in question that it has a column of its own of.
    """

    name: str
    place: str
    is_unique: bool
    definition: str
    constraint: str
    kind: str
    named: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Reference:
    """
    A foreign key from or to a column.

    Attributes:
        table: The referring table, as SQL has to write it.
        name: Its name.
        becomes: The name that it is to have.
        definition: What it says, without a word of being validated.
    """

    table: str
    name: str
    becomes: str
    definition: str


@dataclass(frozen=True)
class Standing:
    """
    A column as the server has it.

    Attributes:
        required: Takes no NULL.
        identity: `d` or `a` where the server counts it up; empty elsewhere.
        default: Expression; empty where there is none.
        sequence: Its own, as SQL has to write it; empty where there is none.
        comment: Its comment.
    """

    required: bool
    identity: str
    default: str
    sequence: str
    comment: str


class Catalogued:
    """
    Asks the server about a column.

    Args:
        editor: Django's schema editor.
        wide: The column.
    """

    def __init__(self, editor: Any, wide: Wide) -> None:
        self._editor = editor
        self._table = editor.quote_name(wide.table)
        self._name = wide.name

    def standing(self) -> Standing:
        """Return what the column is."""
        ((required, *rest),) = self._ask(_COLUMN, [self._table, self._table, self._name])
        return Standing(required, *(each or "" for each in rest))

    def indexes(self) -> Sequence[Index]:
        """Return the indexes that it is part of, and that can be used."""
        rows = self._ask(_INDEXES, [self._name, self._table])
        return [
            Index(
                name,
                place,
                unique,
                text,
                constraint or "",
                kind or "",
                frozenset({self._name} if own else ()),
            )
            for name, place, unique, text, constraint, kind, own in rows
        ]

    def references(self, names: Sequence[tuple[str, str, str]] = ()) -> Sequence[Reference]:
        """
        Return the foreign keys of this column alone, from it and to it.

        Args:
            names: Of table and column that refer to it, the name that the key is to have.
        """
        quoted = [self._editor.quote_name(table) for table, _, _ in names]
        columns, becomes = [each[1] for each in names], [each[2] for each in names]
        rows = self._ask(_REFERENCES, [self._table, self._name, quoted, columns, becomes])
        return [
            Reference(table, name, becomes, text.removesuffix(" NOT VALID"))
            for table, name, becomes, text in rows
        ]

    def hanging(self) -> Sequence[str]:
        """Name what would go with the column, or be done anew with each row that is written."""
        return [what for (what,) in self._ask(_HANGING, {"table": self._table, "name": self._name})]

    def sequence(self, place: str) -> tuple[Any, ...]:
        """Return start, step, least, most, cache, cycle and last value of a sequence, and if it was given."""
        found = self._ask(_SEQUENCE, [place])[0]
        return (*found, *self._ask(f"SELECT last_value, is_called FROM {place}", [])[0])  # noqa: S608 - quoted

    def grants(self, place: str) -> Sequence[str]:
        """Return the statements that grant what others may do with a sequence."""
        return [statement for (statement,) in self._ask(_GRANTS, [place, place])]

    def is_ready(self, index: str) -> bool | None:
        """Return whether an index of the table can be used; None where there is none of that name."""
        rows = self._ask(
            "SELECT i.indisvalid FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid "
            "WHERE i.indrelid = to_regclass(%s) AND x.relname = %s",
            [self._table, index],
        )
        return bool(rows[0][0]) if rows else None

    def is_validated(self, check: str) -> bool | None:
        """Return whether a check of the table holds for every row; None where there is none of that name."""
        rows = self._ask(
            "SELECT convalidated FROM pg_constraint WHERE conrelid = to_regclass(%s) AND conname = %s",
            [self._table, check],
        )
        return bool(rows[0][0]) if rows else None

    def schema(self) -> str:
        """Return the schema of the table, quoted."""
        sql = "SELECT CAST(relnamespace::regnamespace AS text) FROM pg_class WHERE oid = to_regclass(%s)"
        ((found,),) = self._ask(sql, [self._table])
        return str(found)

    def beyond(self, least: int, most: int) -> int:
        """Count the values that lie beyond two."""
        column = self._editor.quote_name(self._name)
        sql = f"SELECT count(*) FROM {self._table} WHERE {column} NOT BETWEEN {least} AND {most}"  # noqa: S608 - quoted
        return int(self._ask(sql, [])[0][0])

    def _ask(self, sql: str, params: Any) -> Sequence[tuple[Any, ...]]:
        with self._editor.connection.cursor() as cursor:
            cursor.execute(sql, params or None)
            found: Sequence[tuple[Any, ...]] = cursor.fetchall()
            return found


def indexes_of(editor: Any, columns: Sequence[Wide]) -> Sequence[Index]:
    """Return the indexes that any of some columns of a table is part of, each once."""
    found: dict[str, Index] = {}
    for wide in columns:
        for index in Catalogued(editor, wide).indexes():
            known = found.get(index.name, index)
            found[index.name] = replace(index, named=index.named | known.named)
    return list(found.values())


def of_others(definition: str, others: Mapping[str, str]) -> str:
    """
    Return what of an index's definition follows its table, about other columns.

    Args:
        definition: As the server writes it.
        others: By the name of a column, the other one, quoted.
    """
    tail = definition[definition.index(" USING ") :]
    return "".join(_exchanged(tail, others))


def _exchanged(tail: str, others: Mapping[str, str]) -> Iterator[str]:
    tokens, end = tokens_of(tail), 0
    for number, token in enumerate(tokens):
        yield tail[end : token.start]
        before = tokens[number - 1].text if number else ""
        after = tokens[number + 1].text if number + 1 < len(tokens) else ""
        # A type or a function may have the name of the column.
        is_name = token.kind in ("word", "quoted") and before != "::" and after != "("
        yield others.get(plain(token.text), token.text) if is_name else token.text
        end = token.end
    yield tail[end:]
