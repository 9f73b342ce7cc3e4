"""What is not sent to a large table, because everybody would wait, and what to do in its place. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from migrator.foretelling.acts import Act, Kind
from migrator.foretelling.locks import burden_of

_PAGE = "docs/howto/change-a-large-table.md"
_ANEW = "Every row would be written anew while readers and writers wait, and the table is large."


@dataclass(frozen=True)
class Recipe:
    """
    Why an act isn't sent, and what to do in its place.

    Attributes:
        why: One sentence.
        instead: The way that keeps nobody waiting.
    """

    why: str
    instead: str


def recipe_of(act: Act, old_type: str = "") -> Recipe | None:
    """
    Return the recipe for an act that keeps everybody from a table for as long as it takes.

    Args:
        act: What is done.
        old_type: Type of the column before, where a type changes and it is known.
    """
    if act.kind is Kind.EXCLUDE:
        return Recipe(
            "Readers and writers wait while PostgreSQL adds an exclusion constraint, and the table is large.",
            f"Make a new table with it, which the code writes, too; fill it, then swap ({_PAGE}).",
        )
    if not burden_of(act, old_type).rewrites:
        return None
    if act.kind is Kind.TYPE:
        return Recipe(
            _ANEW,
            "Add a column of the new type, have the code write both, fill it in batches, read it, then drop "
            f"the old one ({_PAGE}).",
        )
    if act.generated:
        return Recipe(_ANEW, f"Add a plain column that the code, or a trigger, fills ({_PAGE}).")
    return Recipe(
        _ANEW,
        "Add it by AddField, with that as db_default: it goes in parts then. Or add the column without the "
        f"default, then the default, then fill it in batches ({_PAGE}).",
    )
