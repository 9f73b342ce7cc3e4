"""Tables that no Alembic revision declares, and such indexes of the tables that one does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from accord.seam.undeclared import Undeclared
from migrator.alembic.effects import Effects
from migrator.alembic.ledger import Ask
from migrator.standing import INDEXES, TABLES

Rows = Sequence[Sequence[Any]]


def undeclared(
    effects: Effects,
    ask_once: Callable[[Callable[[Ask], tuple[Rows, Rows]]], tuple[Rows, Rows]],
    own: Collection[str],
) -> Iterator[Undeclared]:
    """
    Name them.

    Args:
        effects: What should stand.
        ask_once: Puts questions to the database.
        own: Tables that Alembic itself made.
    """
    tables, indexes = ask_once(lambda ask: (ask(TABLES, {}), ask(INDEXES, {})))
    # Whether one is another schema's of the same name, the search path alone decides.
    declared = {name for (_, name), table in effects.tables.items() if table.step}
    known = {name for _, name in effects.tables}
    for (table,) in tables:
        if table not in known and table not in own:
            yield Undeclared(what="table", name=table)
    made = {name for _, name in effects.indexes}
    for table, index in indexes:
        if table in declared and index not in made:
            yield Undeclared(what="index", name=index, of=table)
