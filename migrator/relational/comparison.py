"""How a table that is there differs from the one that Django would make. Pure: both are described already."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from accord.seam.differences import DifferenceKind
from migrator.relational.definitions import Column, Rule, Table

_OF_PATTERNS = "_pattern_ops"
"""In the definition of the second index that Django makes of a text; its own changes may lose it."""
_UNCHECKED = " NOT VALID"
_KEY = "PRIMARY KEY "
_MISSING, _EXTRA = DifferenceKind.MISSING, DifferenceKind.EXTRA
_KINDS = {
    "CHECK": "check",
    "UNIQUE (": "unique constraint",
    "UNIQUE NULLS": "unique constraint",
    "UNIQUE ": "unique index",
    "FOREIGN KEY": "foreign key",
    "PRIMARY KEY": "primary key",
    "EXCLUDE": "exclusion constraint",
}


@dataclass(frozen=True)
class Difference:
    """
    One difference.

    Attributes:
        columns: The columns that it is about.
        name: Name of the constraint or index that it is about; empty for a column or an unnamed one.
        text: The difference in words, without the table.
        kind: What is the matter; an extra is a change by hand, and no part of a migration.
        thing: Its table and name, of an extra.
        unvalidated: True for a constraint that older rows were never held to, and nothing else.
    """

    columns: tuple[str, ...]
    text: str
    name: str = ""
    kind: DifferenceKind = DifferenceKind.DIFFERENT
    thing: str = ""
    unvalidated: bool = False


def differences(table: str, found: Table, wanted: Table, named: Collection[str]) -> Iterator[Difference]:
    """
    Compare a table.

    Args:
        table: Its name.
        found: As it is.
        wanted: As Django would make it.
        named: Names that a model gives to its constraints and indexes; the others are Django's, and
            depend on the history of the table.
    """
    for name, column in wanted.columns.items():
        yield from _column(f"{table}.{name}", name, found.columns.get(name), column)
    for name in sorted(set(found.columns) - set(wanted.columns)):
        text = f"The column {table}.{name} is there, and no model declares it."
        stranger = found.columns[name]
        harmless = not stranger.required or bool(stranger.default)
        kind = _EXTRA if harmless else DifferenceKind.DIFFERENT
        yield Difference((name,), text, kind=kind, thing=f"{table}.{name}")
    yield from _rules(table, _as_declared(found, wanted), wanted.constraints, named)
    yield from _rules(table, found.indexes, wanted.indexes, named)


def _as_declared(found: Table, wanted: Table) -> Sequence[Rule]:
    """
    Return a table's constraints with the primary key that its model declares, where it is that and more.

    Over partitions PostgreSQL keeps a key only together with the columns that divide the table.
    """
    declared = {rule.definition for rule in wanted.constraints}
    return [
        replace(rule, definition=plain) if (plain := _undivided(rule, found.divided_by)) in declared else rule
        for rule in found.constraints
    ]


def _undivided(rule: Rule, divided_by: Sequence[str]) -> str:
    """Return the definition of a primary key without the columns at its end that divide its table."""
    end = f", {', '.join(divided_by)})"
    is_wide = divided_by and rule.definition.startswith(_KEY) and rule.definition.endswith(end)
    return f"{rule.definition.removesuffix(end)})" if is_wide else rule.definition


def _column(place: str, name: str, found: Column | None, wanted: Column) -> Iterator[Difference]:
    if found is None:
        yield Difference((name,), f"The column {place} is missing.", kind=_MISSING)
        return
    if found.type != wanted.type:
        yield Difference((name,), f"The column {place} is {found.type}, declared as {wanted.type}.")
    if found.required != wanted.required:
        is_, declared = ("not nullable", "it") if found.required else ("nullable", "not")
        yield Difference((name,), f"The column {place} is {is_}, declared as {declared}.")
    if (found.default, found.generated) != (wanted.default, wanted.generated):
        text = f"The column {place} has {_default(found)}, declared with {_default(wanted)}."
        # A default that a model doesn't declare changes nothing that Django writes.
        harmless = not wanted.default and not found.generated
        kind = _EXTRA if harmless else DifferenceKind.DIFFERENT
        yield Difference((name,), text, kind=kind, thing=place)


def _default(column: Column) -> str:
    if not column.default:
        return "no default"
    return f"the {'expression' if column.generated else 'default'} {column.default}"


def _kind(rule: Rule) -> str:
    """Return what a rule is called."""
    return next((kind for start, kind in _KINDS.items() if rule.definition.startswith(start)), "index")


def _rules(
    table: str, found: Sequence[Rule], wanted: Sequence[Rule], named: Collection[str]
) -> Iterator[Difference]:
    left = list(found)
    for rule in sorted(wanted, key=lambda rule: rule.name not in named):
        twin = _twin(rule, left, named)
        if twin is None:
            yield from _absent(table, rule, named)
            continue
        left.remove(twin)
        name = rule.name if rule.name in named else ""
        place = f"The {_kind(rule)} {twin.name} on {table}"
        if not twin.usable:
            yield Difference(rule.columns, f"{place} is there and not usable.", name)
        elif twin.definition == rule.definition + _UNCHECKED:
            text = f"{place} holds for new rows alone (NOT VALID)."
            yield Difference(rule.columns, text, name, kind=_MISSING, unvalidated=True)
        elif twin.definition != rule.definition:
            yield Difference(
                rule.columns, f"{place} is “{twin.definition}”, declared as “{rule.definition}”.", name
            )
    for rule in left:
        what = f"The {_kind(rule)} {rule.name} on {table} ({rule.definition})"
        text = f"{what} is there, and no model declares it."
        yield Difference(rule.columns, text, kind=_EXTRA, thing=f"{table}.{rule.name}")


def _twin(wanted: Rule, found: Sequence[Rule], named: Collection[str]) -> Rule | None:
    """Find what stands for a rule: that of its name where a model gives it, else one that says the same."""
    by_name = next((rule for rule in found if rule.name == wanted.name), None)
    if wanted.name in named:
        return by_name
    same = [rule for rule in found if rule.definition == wanted.definition and rule.name not in named]
    usable = [rule for rule in same if rule.usable]
    return next(iter(usable or same), by_name)


def _absent(table: str, rule: Rule, named: Collection[str]) -> Iterator[Difference]:
    if rule.name in named:
        yield Difference(
            rule.columns, f"The {_kind(rule)} {rule.name} on {table} is missing.", rule.name, kind=_MISSING
        )
    elif _OF_PATTERNS not in rule.definition:
        text = f"{table} has no {_kind(rule)} “{rule.definition}”."
        yield Difference(rule.columns, text, kind=_MISSING)
