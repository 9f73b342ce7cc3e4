"""What an act needs the server to have: types, extensions, collations, methods, operator classes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from migrator.foretelling.acts import Act, Kind
from migrator.foretelling.tokens import Cursor, plain

LONGEST = 63
"""Bytes that PostgreSQL keeps of a name."""

_KNOWN_TYPE = re.compile(
    r"^(bigint|integer|int|int[248]|smallint|(big|small)?serial|boolean|bool|text|bytea|uuid|jsonb?|xml|date|"
    r"inet|cidr|macaddr|interval|real|double precision|money|tsvector|tsquery|"
    r"(varchar|char|character|character varying|bit|bit varying|varbit|numeric|decimal|float)(\([\d, ]+\))?|"
    r"(timestamp|time)(\(\d\))?( with(out)? time zone)?|timestamptz|timetz|"
    r"(int[48]|num|ts|tstz|date)range)(\[\d*\])*$",
    re.IGNORECASE,
)
_METHODS = frozenset({"btree", "hash", "gin", "gist", "spgist", "brin"})
_ORDER = frozenset({"ASC", "DESC", "NULLS", "COLLATE"})


@dataclass(frozen=True, kw_only=True)
class Need:
    """
    Something that has to be there.

    Attributes:
        sql: A query whose first value says whether it is.
        text: What is wrong where it is not.
        hint: The next move then.
        column: Whose type is asked for, so that nobody can ask while a pending step changes it.
    """

    sql: str
    text: str
    hint: str
    column: str = ""


def needs_of(act: Act) -> Iterator[Need]:
    """Yield what an act needs, leaving out what every server has."""
    if act.kind is Kind.EXTENSION:
        yield from _of_extension(plain(act.name))
    if act.kind in (Kind.ADD_COLUMN, Kind.TYPE):
        yield from _of_type(act.type)
        if act.method != "btree":
            yield _collation(plain(act.method))
    if act.kind in (Kind.INDEX, Kind.EXCLUDE):
        yield from _of_index(act)
    if act.kind is Kind.UNIQUE:
        yield from (_default_class(act, column) for column in act.columns)


def _of_extension(name: str) -> Iterator[Need]:
    yield Need(
        sql=f"SELECT count(*) FROM pg_available_extensions WHERE name = {text(name)}",
        text=f"the server does not have the extension {name}",
        hint="Install its package on the server's machine, or use a server that has it.",
    )
    yield Need(
        sql="SELECT current_setting('is_superuser')::boolean "
        "OR bool_or(trusted OR NOT superuser OR installed) "
        f"FROM pg_available_extension_versions WHERE name = {text(name)}",
        text=f"the extension {name} can only be created by a superuser",
        hint=f"Let a superuser run CREATE EXTENSION {name} in this database once.",
    )


def _of_type(kind: str) -> Iterator[Need]:
    if not kind or _KNOWN_TYPE.match(" ".join(kind.split())):
        return
    base = kind.replace("[]", "").strip()
    yield Need(
        sql=f"SELECT to_regtype({text(base)}) IS NOT NULL",
        text=f"the type {base} does not exist",
        hint="Create the extension that brings it, in a step before this one.",
    )


def _collation(name: str) -> Need:
    base = name.rpartition(".")[2]
    return Need(
        sql=f"SELECT count(*) FROM pg_collation WHERE collname = {text(base)}",
        text=f"the collation {name} does not exist",
        hint="Create it in a step before this one, or use one of those in pg_collation.",
    )


def _of_index(act: Act) -> Iterator[Need]:
    if act.method not in _METHODS:
        yield Need(
            sql=f"SELECT count(*) FROM pg_am WHERE amname = {text(act.method)}",
            text=f"the access method {act.method} does not exist",
            hint="Create the extension that brings it, in a step before this one.",
        )
    for column in act.columns:
        cursor = Cursor(column)
        named = _skip_operand(cursor)
        if cursor.takes("COLLATE"):
            yield _collation(plain(cursor.name()))
        head = cursor.peek()
        if head is not None and head.word not in _ORDER and head.kind in ("word", "quoted"):
            yield _operator_class(plain(cursor.name()), act.method)
        elif named:
            yield _default_class(act, named)


def _skip_operand(cursor: Cursor) -> str:
    """Take what is indexed; return it where it is a column, and nothing for an expression."""
    head, named = cursor.peek(), ""
    if head is not None and head.text != "(":
        named = cursor.name()
        head = cursor.peek()
    if head is not None and head.text == "(":
        cursor.group()
        return ""
    return named


_DEFAULT_CLASS = """
SELECT NOT EXISTS (
    SELECT FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = to_regclass({table}) AND a.attname = {column} AND t.typtype IN ('b', 'r', 'm', 'e')
      AND NOT EXISTS (
        SELECT FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod
        WHERE o.opcdefault AND m.amname = {method} AND (
            o.opcintype = t.oid
            OR o.opcintype IN (SELECT casttarget FROM pg_cast WHERE castsource = t.oid AND castmethod = 'b')
            OR o.opcintype = to_regtype(CASE
                WHEN t.typtype = 'r' THEN 'anyrange' WHEN t.typtype = 'm' THEN 'anymultirange'
                WHEN t.typtype = 'e' THEN 'anyenum' WHEN t.typcategory = 'A' THEN 'anyarray' END))))
"""
"""Of domains and rows nothing is said here: the server looks at what they are made of."""


def _default_class(act: Act, column: str) -> Need:
    return Need(
        sql=_DEFAULT_CLASS.format(table=text(act.table), column=text(plain(column)), method=text(act.method)),
        text=f"the type of {plain(column)} has no operator class of its own for {act.method}",
        hint="Create the extension that brings one (btree_gist, btree_gin), in a step before this one, or "
        "name an operator class.",
        column=column,
    )


def _operator_class(name: str, method: str) -> Need:
    base = name.rpartition(".")[2]
    return Need(
        sql="SELECT count(*) FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod "
        f"WHERE o.opcname = {text(base)} AND m.amname = {text(method)}",
        text=f"the operator class {name} does not exist for {method}",
        hint="Create the extension that brings it, in a step before this one.",
    )


def text(value: str) -> str:
    """Return a text as SQL writes it."""
    return "'" + value.replace("'", "''") + "'"


def is_cut(name: str) -> bool:
    """Return whether PostgreSQL would keep a part of a name alone."""
    return len(plain(name).rpartition(".")[2].encode()) > LONGEST
