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

from accord.seam.types import Presence, Probe, Step
from migrator.relational.catalog import TABLE, Catalog, ModelKey, TableDifference
from migrator.relational.graph import GraphLoader
from migrator.relational.loader import DiskLoader, Name
from migrator.relational.states import Executor


@dataclass
class Owners:
    """Which step brought each table, field and index of a model; a later change moves it."""

    by_item: dict[ModelKey, dict[str, Name]] = field(default_factory=dict)

    def note(self, name: Name, operation: object) -> None:
        """Take note of one operation of a step."""
        app = name[0]
        if isinstance(operation, CreateModel):
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
        An answer for each; "unknown" for one that leaves no table, field or index of its own.
    """
    names = [(step.key.app, step.key.name) for step in steps]
    loader = GraphLoader(connections[alias], disk)
    owners, state = _expected(Executor(connections[alias], loader), names)
    owners.keep_only(set(names), state)
    findings = list(Catalog(alias, state).findings(owners.by_item))
    counts = owners.counts()
    for step, name in zip(steps, names, strict=True):
        own = [finding for finding in findings if owners.of(finding) == name]
        texts = dict.fromkeys(finding.text for finding in own)
        judged = [finding for finding in own if not finding.extra]
        yield Probe(key=step.key, presence=_presence(judged, counts.get(name, 0)), findings=tuple(texts))


def _expected(executor: Executor, names: Sequence[Name]) -> tuple[Owners, ProjectState]:
    """Go through the steps and what they stand on, noting who brings what."""
    loader = executor.loader
    if any(name not in loader.graph.nodes for name in names):
        loader.keep_replaced()
    needed = {parent for name in names for parent in loader.graph.forwards_plan(name)}
    known = needed | set(loader.applied_migrations)
    owners, state = Owners(), ProjectState(real_apps=loader.unmigrated_apps)
    for migration in executor.order:
        if (migration.app_label, migration.name) in known:
            _note_all(owners, migration, state)
    return owners, state


def _note_all(owners: Owners, migration: Migration, state: ProjectState) -> None:
    for operation in migration.operations:
        owners.note((migration.app_label, migration.name), operation)
        for inner in getattr(operation, "state_operations", None) or ():
            owners.note((migration.app_label, migration.name), inner)
        operation.state_forwards(migration.app_label, state)


def _presence(findings: Sequence[TableDifference], items: int) -> Presence:
    if not items:
        return Presence.UNKNOWN
    if not findings:
        return Presence.DONE
    if any(not finding.missing for finding in findings):
        return Presence.CONFLICTING
    missing = {(finding.model, finding.item) for finding in findings}
    return Presence.ABSENT if len(missing) >= items else Presence.PARTIAL
