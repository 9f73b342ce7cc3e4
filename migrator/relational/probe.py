"""Is what migrations describe there? The live catalog, compared with Django's state after all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connections
from django.db.migrations import Migration
from django.db.migrations.operations.fields import FieldOperation, RemoveField, RenameField
from django.db.migrations.operations.models import CreateModel, IndexOperation, ModelOperation, RenameModel
from django.db.migrations.state import ProjectState

from accord.seam.differences import DifferenceKind
from accord.seam.types import Presence, Probe, Step
from migrator.relational.catalog import TABLE, Catalog, ModelKey, TableDifference
from migrator.relational.graph import GraphLoader
from migrator.relational.loader import DiskLoader, Name
from migrator.relational.moves import Move, move_of
from migrator.relational.states import Executor
from migrator.relational.traces import Traces
from migrator.relational.unproved import unproved


@dataclass
class Owners:
    """
    Which step brought each table, field and index of a model; a later change moves it.

    Attributes:
        by_item: The steps, by model and name.
        unvalidated: Constraints that hold for new rows alone, as a step wanted it.
    """

    by_item: dict[ModelKey, dict[str, Name]] = field(default_factory=dict)
    unvalidated: set[tuple[ModelKey, str]] = field(default_factory=set)

    def note(self, name: Name, operation: Any) -> None:
        """Take note of one operation of a step."""
        app = name[0]
        self._note_validation(name, operation)
        if move := move_of(app, operation):
            self._note_move(name, move)
        elif isinstance(operation, CreateModel):
            items = [field_name for field_name, _ in operation.fields]
            items += [item.name for item in _named(operation.options)]
            self.by_item[app, operation.name_lower] = dict.fromkeys([TABLE, *items], name)
        elif isinstance(operation, RenameModel):
            moved = self.by_item.pop((app, operation.old_name_lower), {})
            self.by_item[app, operation.new_name_lower] = {**moved, TABLE: name}
        elif isinstance(operation, FieldOperation):
            self._note_field(self._items(app, operation.model_name_lower, name), name, operation)
        elif isinstance(operation, IndexOperation):
            item = getattr(operation, "index", None) or getattr(operation, "constraint", None)
            new_name = item.name if item is not None else getattr(operation, "new_name", None)
            if new_name:
                self._items(app, operation.model_name_lower, name)[new_name] = name
        elif isinstance(operation, ModelOperation):
            self._items(app, operation.name_lower, name)

    def _note_validation(self, name: Name, operation: Any) -> None:
        """Take note of constraints that Django's own operations leave unchecked, and check later."""
        kind = type(operation).__name__
        if kind == "AddConstraintNotValid":
            self.unvalidated.add(((name[0], operation.model_name_lower), operation.constraint.name))
        elif kind == "ValidateConstraint":
            key = (name[0], operation.model_name.lower())
            self.unvalidated.discard((key, operation.name))
            self._items(name[0], key[1], name)[operation.name] = name

    def _note_move(self, name: Name, move: Move) -> None:
        """Take note of a model that another app has from now on, with all that was brought to it before."""
        items = {
            move.names.get(item, item): step for item, step in self.by_item.pop(move.old_key, {}).items()
        }
        items |= dict.fromkeys([TABLE] if move.renames_table else (), name)
        self.by_item[move.new_key] = {**items, **dict.fromkeys(move.names.values(), name)}

    def _note_field(self, items: dict[str, Name], name: Name, operation: FieldOperation) -> None:
        if isinstance(operation, RemoveField):
            items.pop(operation.name, None)
        elif isinstance(operation, RenameField):
            items.pop(operation.old_name, None)
            items[operation.new_name] = name
        else:
            items[operation.name] = name

    def _items(self, app: str, model: str, name: Name) -> dict[str, Name]:
        return self.by_item.setdefault((app, model), {TABLE: name})

    def of(self, finding: TableDifference) -> Name:
        """Return the step that a finding is about."""
        items = self.by_item[finding.model]
        return items.get(finding.item, items[TABLE])

    def judges(self, finding: TableDifference) -> bool:
        """Return whether a finding is one: an unchecked constraint that is wanted so is none."""
        return not (finding.unvalidated and (finding.model, finding.item) in self.unvalidated)

    def keep_only(self, steps: set[Name], state: ProjectState) -> None:
        """Leave out models that are gone in the end, and those that none of the steps has anything of."""
        for key, items in list(self.by_item.items()):
            if key not in state.models or steps.isdisjoint(items.values()):
                del self.by_item[key]

    def counts(self) -> Mapping[Name, int]:
        """Count what stands at the end, by the step that brought it."""
        return Counter(name for items in self.by_item.values() for name in items.values())


def _named(options: Mapping[str, Any]) -> Iterable[Any]:
    return [*options.get("indexes", ()), *options.get("constraints", ())]


def probe(alias: str, disk: DiskLoader, steps: Sequence[Step]) -> Iterator[Probe]:
    """
    Look for the effects of steps.

    Args:
        alias: The database.
        disk: Migrations as read from disk.
        steps: The steps; each is judged by what would stand after all of them.

    Returns:
        An answer for each; "unknown" for one that does nothing but what can't be looked at.
    """
    names = [(step.key.app, step.key.name) for step in steps]
    loader = GraphLoader(connections[alias], disk)
    found = _expected(Executor(connections[alias], loader), Traces(alias, _longest(alias)), names)
    owners, traces = found.owners, found.traces
    owners.keep_only(set(names), found.state)
    findings = [each for each in Catalog(alias, found.state).findings(owners.by_item) if owners.judges(each)]
    left = list(traces.amiss(connections[alias]))
    counts = owners.counts()
    for step, name in zip(steps, names, strict=True):
        own = [finding for finding in findings if owners.of(finding) == name]
        amiss = [difference for owner, difference in left if owner == name]
        judged = [finding for finding in own if finding.kind is not DifferenceKind.EXTRA]
        items = counts.get(name, 0) + traces.counted(name)
        rest = any(difference.kind is DifferenceKind.LEFT for difference in amiss)
        untold = unproved(found.migrations[name])
        yield Probe(
            key=step.key,
            presence=_presence(judged, len(amiss), items, opaque=bool(untold)),
            findings=tuple(dict.fromkeys([*(finding.difference for finding in own), *amiss])),
            unproved=untold,
            # Extensions and collations are often there on an empty database, too.
            stands=rest or len(_missing(judged)) < counts.get(name, 0),
        )


def expected_tables(executor: Executor, alias: str, names: Sequence[Name]) -> Iterator[str]:
    """
    Name the tables of all models, managed or not, that should stand after some migrations.

    Args:
        executor: Knows the migrations.
        alias: The database.
        names: The migrations.
    """
    traces = Traces(alias, _longest(alias))
    for model in _expected(executor, traces, names).state.models.values():
        yield from traces.tables(model)


@dataclass(frozen=True)
class _Expectation:
    """What should stand after some migrations, and who brought it."""

    owners: Owners
    traces: Traces
    state: ProjectState
    migrations: Mapping[Name, Migration]


def _longest(alias: str) -> int | None:
    longest: int | None = connections[alias].ops.max_name_length()
    return longest


def _expected(executor: Executor, traces: Traces, names: Sequence[Name]) -> _Expectation:
    """Go through the steps and what they stand on, noting who brings what."""
    loader = executor.loader
    if any(name not in loader.graph.nodes for name in names):
        loader.keep_replaced()
    needed = {parent for name in names for parent in loader.graph.forwards_plan(name)}
    known = needed | set(loader.applied_migrations)
    owners, state = Owners(), ProjectState(real_apps=loader.unmigrated_apps)
    for migration in executor.order:
        if (migration.app_label, migration.name) in known:
            _note_all(owners, traces, migration, state)
    return _Expectation(owners, traces, state, {name: loader.graph.nodes[name] for name in names})


def _note_all(owners: Owners, traces: Traces, migration: Migration, state: ProjectState) -> None:
    name = (migration.app_label, migration.name)
    for operation in migration.operations:
        owners.note(name, operation)
        traces.note(name, operation, state)
        for inner in getattr(operation, "state_operations", None) or ():
            owners.note(name, inner)
        operation.state_forwards(migration.app_label, state)


def _presence(findings: Sequence[TableDifference], amiss: int, items: int, *, opaque: bool) -> Presence:
    if not items:
        # Words alone, or undone by a later step: nothing is left that could be otherwise.
        return Presence.UNKNOWN if opaque else Presence.DONE
    if not findings and not amiss:
        return Presence.DONE
    if any(finding.kind is not DifferenceKind.MISSING for finding in findings):
        return Presence.CONFLICTING
    return Presence.ABSENT if len(_missing(findings)) + amiss >= items else Presence.PARTIAL


def _missing(findings: Iterable[TableDifference]) -> set[tuple[ModelKey, str]]:
    return {(finding.model, finding.item) for finding in findings if finding.kind is DifferenceKind.MISSING}
