"""Foretelling an Alembic history: the statements of its offline mode, asked of the live database before."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import psycopg2

from accord.seam.foretelling import Foretold
from accord.seam.losses import Loss
from accord.seam.types import Statement, StepKey
from migrator.alembic.database import Database
from migrator.foretelling import counting
from migrator.foretelling.ddl import read
from migrator.foretelling.foreteller import Foreteller, Rendered
from migrator.foretelling.looks import GUARDED, Asks, Relations, Rows, Size, Unasked
from migrator.foretelling.tokens import plain


@contextmanager
def _asking(database: Database) -> Iterator[Asks]:
    with database.reading(GUARDED) as read:

        def ask(sql: str) -> Rows:
            try:
                return read(sql)
            except psycopg2.Error as exc:
                raise Unasked(exc.pgcode or "unknown") from exc

        yield ask


def without(rendered: Rendered, table: str) -> Rendered:
    """Return steps whose statements about one table alone are empty; the others keep their numbers."""
    for step, statements in rendered:
        yield step, [replace(one, text="") if _is_about(one, table) else one for one in statements]


def _is_about(statement: Statement, table: str) -> bool:
    acts = () if statement.opaque else read(statement.text)
    return bool(acts) and all(plain(act.table).rpartition(".")[2] == table for act in acts)


def foretell(database: Database, rendered: Rendered, begun: Collection[StepKey]) -> Iterator[Foretold]:
    """
    Foretell steps.

    Args:
        database: Where they would run.
        rendered: The steps with their statements, in their order.
        begun: Steps that were begun and not ended.
    """
    with _asking(database) as ask:
        yield from Foreteller(ask, begun).foretell(rendered)


def sizes(database: Database) -> Mapping[str, Size]:
    """Ask how large the tables of a database are, by name."""
    with _asking(database) as ask:
        return Relations(ask).tables


def losses(database: Database, rendered: Rendered) -> Iterator[Loss]:
    """
    Count what steps would drop.

    Args:
        database: Where they would run.
        rendered: The steps with their statements, in their order.
    """
    with _asking(database) as ask:
        yield from counting.losses(ask, rendered)
