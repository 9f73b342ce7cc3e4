"""Foretelling an Alembic history: the statements of its offline mode, asked of the live database before."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import psycopg2

from accord.seam.foretelling import Foretold
from accord.seam.types import StepKey
from migrator.alembic.database import Database
from migrator.foretelling.foreteller import Foreteller, Rendered
from migrator.foretelling.looks import GUARDED, Rows, Unasked


def foretell(database: Database, rendered: Rendered, begun: Collection[StepKey]) -> Iterator[Foretold]:
    """
    Foretell steps.

    Args:
        database: Where they would run.
        rendered: The steps with their statements, in their order.
        begun: Steps that were begun and not ended.
    """
    with database.reading(GUARDED) as read:

        def ask(sql: str) -> Rows:
            try:
                return read(sql)
            except psycopg2.Error as exc:
                raise Unasked(exc.pgcode or "unknown") from exc

        yield from Foreteller(ask, begun).foretell(rendered)
