"""
Where a textual key may stand in another spelling: a table gives candidates, which are then compared.

No server folds as Unicode does, and two servers differ. Of texts in ASCII, lower case is the whole of
it, in every server alike: these are found by `LOWER(column)`. All others are candidates, whatever they say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from django.db import connections
from django.db.models import Model, Q, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Lower

from accord.erased.folding import Fold

NOT_ASCII = "[^[:ascii:]]"
"""Regular expression of PostgreSQL; a partial index with this condition serves it."""
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_Row = TypeVar("_Row", bound=Model)


def candidates(rows: QuerySet[_Row], text: Combinable, fold: Fold, wanted: Sequence[str]) -> QuerySet[_Row]:
    """
    Narrow rows to those that may hold a spelling of a key; none that does is left out.

    Args:
        rows: Where to look.
        text: The text that is compared.
        fold: Which spellings are one.
        wanted: Keys, folded.
    """
    named: QuerySet[_Row] = rows.alias(_text=text, _lower=Lower(text))  # type: ignore[assignment]  # an alias only
    if fold is not Fold.FORM and not lowers_plainly(rows.db):
        return named.filter(_text__isnull=False)
    plain = [one for one in wanted if one.isascii()]
    among = {"_text__in" if fold is Fold.FORM else "_lower__in": plain}
    return named.filter(Q(**among) | Q(_text__regex=NOT_ASCII))


def lowers_plainly(alias: str) -> bool:
    """Return whether a database lowers A to Z as most do; by Turkish rules I becomes another letter."""
    connection: Any = connections[alias]
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT lower(%s)", [_ALPHABET])
        return bool(cursor.fetchone()[0] == _ALPHABET.lower())
