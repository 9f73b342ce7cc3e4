"""SQL within a migration, statement by statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from migrator.foretelling.acts import Act
from migrator.lint.sql.acts import acts_of
from migrator.lint.sql.parser import Statement, Unread, cut_names, statements
from migrator.lint.subject import CutName, Spot, Unseen

_TOLD = 60


@dataclass(frozen=True, kw_only=True)
class Written:
    """
    An act of a statement that a person wrote.

    Attributes:
        act: What it does.
        spot: Where it stands.
        together: Whether other statements are sent along with it, which makes one transaction of all.
    """

    act: Act
    spot: Spot
    together: bool


def read(sql: Any, spot: Spot) -> Iterator[Written | CutName | Unseen]:
    """
    Read what RunSQL takes: a text, or a list of texts and of pairs with parameters.

    Args:
        sql: What it was given.
        spot: Where it stands.
    """
    for text in _texts(sql):
        try:
            found = statements(text)
            yield from (CutName(name=name, spot=spot) for name in cut_names(text))
        except Unread as exc:
            yield Unseen(spot=spot, why=str(exc))
            continue
        for statement in found:
            yield from _of_statement(statement, spot, together=len(found) > 1)


def _of_statement(statement: Statement, spot: Spot, *, together: bool) -> Iterator[Written | Unseen]:
    place = replace(spot, what=_told(statement.text))
    acts = acts_of(statement.node)
    if acts is None:
        word = type(statement.node).__name__.removesuffix("Stmt").upper()
        yield Unseen(spot=place, why=f"what a statement {word} does isn't known")
        return
    yield from (Written(act=act, spot=place, together=together) for act in acts)


def _told(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _TOLD else f"{line[:_TOLD]}…"


def _texts(sql: Any) -> Sequence[str]:
    if isinstance(sql, str):
        return [sql] if sql.strip() else []
    return [_text(one) for one in sql or ()]


def _text(one: Any) -> str:
    if isinstance(one, str):
        return one
    text, *parameters = one
    # Beside parameters, % is written twice and %s stands for a value.
    has_values = bool(parameters and parameters[0])
    return str(text).replace("%s", "NULL").replace("%%", "%") if has_values else str(text)
