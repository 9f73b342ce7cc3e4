"""Writing rows so that their values of before are kept by the same statement, and bringing these back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from migrator.operations.sql import Sql, ask, joined, put, send
from migrator.operations.walking import Walk
from migrator.relational.before import SWITCH, Kept

_ON = Sql(f"SELECT set_config('{SWITCH}', 'on', true)")


def write(connection: Any, kept: Kept, walk: Walk, chosen: Sql, update: Sql, *, unique: bool) -> int:
    """
    Send an UPDATE, and keep what it writes over.

    Args:
        connection: In a transaction.
        kept: Where.
        walk: The table.
        chosen: Condition of the rows.
        update: An UPDATE from `accord_old`, tied to it (:func:`tied`): a row is locked before it is written,
            so that what is kept is what is written over.
        unique: Others may refer to a column that is written, so that the lock keeps them away, too.

    Returns:
        How many rows were written.
    """
    ask(connection, _ON)
    lock = Sql("FOR UPDATE" if unique else "FOR NO KEY UPDATE")
    olds = put(
        "SELECT {}, {} FROM {} WHERE {} {}",
        _as(walk.keys, kept.own_keys),
        _as(kept.columns, kept.befores),
        *(Sql.written(walk.table), chosen, lock),
    )
    news = put(
        "{} RETURNING {}, {}",
        update,
        _as(_of(walk, walk.keys), kept.own_keys),
        _as(_of(walk, kept.columns), kept.afters),
    )
    every = _listed([*kept.own_keys, *kept.befores, *kept.afters])
    return send(
        connection,
        put(
            "WITH accord_old AS MATERIALIZED ({}), accord_new AS ({}) INSERT INTO {} ({}) SELECT {} "
            "FROM accord_old JOIN accord_new USING ({}) ON CONFLICT ({}) DO UPDATE SET {}",
            *(olds, news, Sql.written(kept.name), every, every),
            *(_listed(kept.own_keys), _listed(kept.own_keys)),
            _listed([f"{name} = excluded.{name}" for name in kept.afters]),
        ),
    )


def tied(kept: Kept, walk: Walk) -> Sql:
    """Return the condition that ties rows of the table to those that were locked."""
    return _same(walk, kept, "accord_old")


def bring_back(connection: Any, kept: Kept, walk: Walk, chosen: Sql) -> int:
    """
    Bring values of before back where what was written still stands.

    Args:
        connection: In a transaction.
        kept: Where they are.
        walk: The table.
        chosen: Condition of the rows.
    """
    ask(connection, _ON)
    pairs = zip(_of(walk, kept.columns), kept.afters, strict=True)
    stands = joined(
        " AND ", (put("{} IS NOT DISTINCT FROM accord_kept.{}", _sql(a), _sql(b)) for a, b in pairs)
    )
    setting = (
        f"{column} = accord_kept.{name}" for column, name in zip(kept.columns, kept.befores, strict=True)
    )
    return send(
        connection,
        put(
            "UPDATE {} SET {} FROM {} AS accord_kept WHERE {} AND {} AND {}",
            *(_sql(walk.table), _listed(list(setting)), _sql(kept.name)),
            *(_same(walk, kept, "accord_kept"), stands, put("({})", chosen)),
        ),
    )


def _same(walk: Walk, kept: Kept, other: str) -> Sql:
    theirs = _listed([f"{other}.{name}" for name in kept.own_keys])
    return put("({}) = ({})", _listed(_of(walk, walk.keys)), theirs)


def _as(columns: Sequence[str], named: Sequence[str]) -> Sql:
    return _listed([f"{column} AS {name}" for column, name in zip(columns, named, strict=True)])


def _of(walk: Walk, columns: Sequence[str]) -> Sequence[str]:
    return [f"{walk.table}.{column}" for column in columns]


def _listed(texts: Sequence[str]) -> Sql:
    return Sql.written(", ".join(texts))


def _sql(text: str) -> Sql:
    return Sql.written(text)
