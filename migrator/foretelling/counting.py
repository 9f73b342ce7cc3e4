"""Counting what tables and columns hold that would be dropped, one bounded query each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from accord.seam.losses import Held, HowMany, Loss
from accord.seam.types import Statement, Step
from migrator.foretelling.dropping import Dropped, dropped
from migrator.foretelling.looks import Asks, Budgeted, Relations, Unasked

_KEPT_BY_DJANGO = frozenset({"django_content_type", "auth_permission", "migrator_run", "migrator_steprun"})
"""Tables whose rows migrating itself writes, and writes again."""


def losses(ask: Asks, rendered: Iterable[tuple[Step, Sequence[Statement]]]) -> Iterator[Loss]:
    """
    Count what steps would drop.

    Args:
        ask: The way to the database.
        rendered: The steps in their order, each with its statements.
    """
    steps = list(rendered)
    if next(dropped(steps), None) is None:
        return
    server = Budgeted(ask)
    relations = Relations(server.rows)
    found = [one for one in _found(steps, relations) if one.table not in _KEPT_BY_DJANGO]
    gone = {one.table for one in found if not one.column}
    for one in found:
        if not (one.column and one.table in gone):
            yield _loss(one, _count(server, relations, one))


def _found(rendered: Iterable[tuple[Step, Sequence[Statement]]], relations: Relations) -> Iterator[Dropped]:
    """Yield what goes, by the names that people use."""
    for one in dropped(rendered, relations.placed):
        yield replace(one, table=relations.shown(one.table)) if one.table else one


def uncounted(rendered: Iterable[tuple[Step, Sequence[Statement]]]) -> Iterator[Loss]:
    """Yield what steps would drop where nobody can look."""
    return (_loss(one, HowMany(None)) for one in dropped(rendered))


def _loss(one: Dropped, count: HowMany) -> Loss:
    if one.is_unread:
        return Loss(key=one.key, what="what SQL of its own drops", held=Held.ROWS, count=HowMany(None))
    if one.column:
        what = f"column {one.table}.{one.column}"
        return Loss(key=one.key, what=what, held=Held.VALUES, count=count)
    return Loss(key=one.key, what=f"table {one.table}", held=Held.ROWS, count=count)


def _count(server: Budgeted, relations: Relations, one: Dropped) -> HowMany:
    size = relations.tables.get(one.table)
    if size is None:
        # A revert that was killed has dropped it already; or nobody knows what it is called now.
        return HowMany(0 if one.is_traced and not one.is_unread else None)
    if size.is_empty:
        return HowMany(0)
    try:
        [[number]] = server.rows(f"SELECT count({_quoted(one.column)}) FROM {_quoted(one.table)}")  # noqa: S608 - quoted names
    except Unasked as exc:
        # What the server remembers helps where counting takes too long; that it remembers nothing, doesn't.
        about = size.rows if exc.is_slow else None
        return HowMany(about or None, is_estimate=bool(about))
    return HowMany(int(number))


def _quoted(name: str) -> str:
    parts = ['"' + part.replace('"', '""') + '"' for part in name.split(".")]
    return ".".join(parts) if name else "*"
