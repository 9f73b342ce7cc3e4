"""Models that go to another app: those that would leave their rows behind, and those that go too early."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.migrations import AlterModelManagers, CreateModel, DeleteModel, Migration, RunPython, RunSQL
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.utils import resolve_relation

from migrator.relational.loader import Name
from migrator.relational.moves import Move, move_of, table_of

Label = tuple[str, str]
"""App label and name of a model in small letters."""


@dataclass(frozen=True, kw_only=True)
class Moves:
    """
    What is amiss with moves of an order of migrations.

    Attributes:
        lost: What to say of an operation that makes or drops a model whose rows are meant to stay.
        early: What to say of a move, by its migration.
    """

    lost: Mapping[tuple[Name, type, str], str] = field(default_factory=dict)
    early: Mapping[Name, str] = field(default_factory=dict)


def moves(order: Sequence[tuple[Name, Migration]], graph: MigrationGraph) -> Moves:
    """
    Look for moves.

    Args:
        order: All migrations, each behind what it needs.
        graph: What needs what.
    """
    return Moves(lost=dict(_lost(order)), early=dict(_early(order, graph)))


# --- rows that would be lost -----------------------------------------------------------------------


def _lost(order: Sequence[tuple[Name, Migration]]) -> Iterator[tuple[tuple[Name, type, str], str]]:
    went, came = (_places(order, kind) for kind in (DeleteModel, CreateModel))
    pairs = [
        (old, new)
        for old in went
        for new in came
        if old[1] == new[1] and old[0] != new[0] and not _is_copied(order, came[new], went[old])
    ]
    snapshots = _snapshots(order, went, came) if pairs else {}
    for old, new in pairs:
        before, after = snapshots.get((DeleteModel, old)), snapshots.get((CreateModel, new))
        if before is not None and after is not None and before.fields.keys() == after.fields.keys():
            operation = _operation(before, after)
            yield (went[old], DeleteModel, old[1]), _GOES.format(before.name, new[0], operation)
            yield (came[new], CreateModel, new[1]), _COMES.format(after.name, old[0], operation)


_GOES = "{0} comes anew in {1}, with the same fields and none of its rows. In place of both, {1} says {2}."
_COMES = (
    "{0} goes from {1} with its rows, and comes here with the same fields and none. In place of both: {2}."
)


def _is_copied(order: Sequence[tuple[Name, Migration]], came: Name, went: Name) -> bool:
    """Return whether code or SQL of one of both apps may carry rows over while both models stand."""
    names = [name for name, _ in order]
    between = order[names.index(came) : names.index(went) + 1]
    return any(
        isinstance(each, RunPython | RunSQL)
        for name, migration in between
        if name[0] in (came[0], went[0])
        for each in _flat(migration.operations)
    )


def _places(
    order: Iterable[tuple[Name, Migration]], kind: type[CreateModel | DeleteModel]
) -> Mapping[Label, Name]:
    """Return which migration makes or drops a model; the last one, where it is done again and again."""
    return {
        (name[0], each.name_lower): name
        for name, migration in order
        for each in _flat(migration.operations)
        if isinstance(each, kind)
    }


def _flat(operations: Iterable[Any]) -> Iterator[Any]:
    for operation in operations:
        yield operation
        yield from _flat(getattr(operation, "database_operations", ()))


def _snapshots(
    order: Sequence[tuple[Name, Migration]], went: Mapping[Label, Name], came: Mapping[Label, Name]
) -> Mapping[tuple[type, Label], ModelState]:
    """Return models as they are before the migration that drops them, and after the one that makes them."""
    state, found = ProjectState(), dict[tuple[type, Label], ModelState]()
    for name, migration in order:
        _keep(found, DeleteModel, [label for label, by in went.items() if by == name], state)
        migration.mutate_state(state, preserve=False)
        _keep(found, CreateModel, [label for label, by in came.items() if by == name], state)
    return found


def _keep(
    found: dict[tuple[type, Label], ModelState], kind: type, labels: Iterable[Label], state: ProjectState
) -> None:
    found.update({(kind, label): state.models[label].clone() for label in labels if label in state.models})


def _operation(before: ModelState, after: ModelState) -> str:
    """Return the operation that does it, with the names that differ."""
    words = [f'"{before.name}"', f'from_app="{before.app_label}"']
    names = {one.name: same for one in _rules(before) if (same := _same(one, _rules(after))) != one.name}
    if table_of(before) != table_of(after):
        words.append("rename_table=True")
    if names:
        words.append(f"names={names}")
    return f"MoveModel({', '.join(words)})"


def _rules(model: ModelState) -> Sequence[Any]:
    return [*model.options.get("indexes", ()), *model.options.get("constraints", ())]


def _same(rule: Any, others: Iterable[Any]) -> str:
    """Return the name of the rule among others that says the same; its own, where there is none."""
    found = (other.name for other in others if _unnamed(other) == _unnamed(rule))
    return next(found, str(rule.name))


def _unnamed(rule: Any) -> tuple[object, ...]:
    path, args, words = rule.deconstruct()
    return path, args, {key: value for key, value in words.items() if key != "name"}


# --- moves that something isn't ordered before -----------------------------------------------------


def _early(order: Sequence[tuple[Name, Migration]], graph: MigrationGraph) -> Iterator[tuple[Name, str]]:
    for name, migration in order:
        for move in filter(None, (move_of(name[0], each) for each in migration.operations)):
            near = {*graph.forwards_plan(name), *graph.backwards_plan(name)}
            others = [
                f"{app}.{other}"
                for (app, other), one in order
                if (app, other) not in near and _names(app, one.operations, move)
            ]
            if others:
                named = ", ".join(others)
                yield name, f"{named} names {move.old}.{move.name}, and isn't ordered before the move."


def _names(app: str, operations: Iterable[Operation], move: Move) -> bool:
    """Return whether any operation is about a model by its old label, or points at it."""
    return any(move.old_key in _labels(app, each) for each in _all(operations))


def _all(operations: Iterable[Any]) -> Iterator[Any]:
    for operation in operations:
        yield operation
        for inner in ("database_operations", "state_operations"):
            yield from _all(getattr(operation, inner, ()))


def _labels(app: str, operation: Any) -> Collection[Label]:
    own = getattr(operation, "model_name", None) or getattr(operation, "name", None)
    found: set[Label] = set()
    if isinstance(own, str) and not isinstance(operation, CreateModel | AlterModelManagers):
        found.add((app, own.lower()))
    fields = [each for _, each in getattr(operation, "fields", ())] + [getattr(operation, "field", None)]
    for each in fields:
        remote = getattr(each, "remote_field", None)
        targets = (getattr(remote, part, None) for part in ("model", "through"))
        found |= {resolve_relation(one, app, str(own).lower()) for one in targets if one}
    bases = (base for base in getattr(operation, "bases", ()) if isinstance(base, str))
    return found | {resolve_relation(base, app) for base in bases}
