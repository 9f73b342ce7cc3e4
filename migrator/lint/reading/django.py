"""Django's migrations as subjects, in the order in which they run."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import connections
from django.db.migrations import (
    AlterField,
    CreateModel,
    DeleteModel,
    Migration,
    RunPython,
    RunSQL,
    SeparateDatabaseAndState,
)
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.operations.base import Operation

from accord.seam.types import Step
from migrator.foretelling.acts import Act, Kind
from migrator.lint.reading import functions, written
from migrator.lint.reading.columns import Columns
from migrator.lint.reading.easing import eased_by
from migrator.lint.reading.moves import Moves, moves
from migrator.lint.reading.operations import Operations
from migrator.lint.reading.places import Places
from migrator.lint.reading.tables import Tables
from migrator.lint.subject import Astray, CutName, Family, Function, Sight, Spot, Subject, Unseen
from migrator.lint.syntax import Nodes
from migrator.operations import MoveModel
from migrator.operations.backfill import Backfill
from migrator.operations.base import ColumnOperation
from migrator.relational.graph import RecordedLoader, full_order, translated_graph
from migrator.relational.loader import DiskLoader, Name


def read(
    alias: str,
    disk: DiskLoader,
    steps: Mapping[Name, Step],
    release: Collection[Name],
    *,
    eases: bool = False,
) -> Iterator[Subject]:
    """
    Read migrations of one database.

    Args:
        alias: The database.
        disk: All migrations; those before a step say what stands.
        steps: What to look at.
        release: Migrations that come out together: their tables are in nobody's use yet.
        eases: Whether a run sends in parts what would lock large tables.
    """
    left = dict(steps)
    for graph in _graphs(disk):
        reader = _Reader(alias, disk, release, eases=eases)
        leaves, order = graph.leaf_nodes(), full_order(graph)
        reader.moves = moves([(name, disk.migrations[name]) for name in order], graph)
        for name in order:
            subject = reader.read(name, left.pop(name, None))
            if subject is not None:
                yield replace(subject, rivals=_rivals(name, leaves))


def _rivals(name: Name, leaves: Sequence[Name]) -> Sequence[str]:
    """Return the other last migrations of an app; none where a migration isn't one itself."""
    return [leaf[1] for leaf in leaves if name in leaves and leaf[0] == name[0] and leaf != name]


def _graphs(disk: DiskLoader) -> Iterator[MigrationGraph]:
    """Yield the graph with what stands for others; where there is such a thing, then the one with those."""
    with translated_graph():
        loader = RecordedLoader(disk, ())
        yield loader.graph
        if loader.replacements:
            loader.keep_replaced()
            yield loader.graph


@dataclass(frozen=True, kw_only=True)
class _Place:
    """One operation on its way: the migration, its number, and whether it stands within a wrapper."""

    name: Name
    path: tuple[int, ...]
    spot: Spot
    in_transaction: bool


class _Reader:
    """Moves through the migrations of one order."""

    def __init__(self, alias: str, disk: DiskLoader, release: Collection[Name], *, eases: bool) -> None:
        connection = connections[alias]
        self._disk = disk
        self._release = release
        self._eases = eases
        self.moves = Moves()
        self._tree = functions.parsed("")
        self._tables = Tables()
        self._is_postgres = connection.vendor == "postgresql"
        self._columns = Columns(connection, self._tables)
        self._operations = Operations(self._tables, self._columns)

    def read(self, name: Name, step: Step | None) -> Subject | None:
        """Move over a migration, and return it where it is to be looked at."""
        migration = self._disk.migrations[name]
        if step is None:
            for operation in migration.operations:
                self._tables.move_on(name[0], operation, name)
            return None
        tree = self._tree = functions.tree_of(step.source.text)
        found = list(self._walk(name, migration, Places(tree)))
        return Subject(
            key=step.key,
            family=Family.DJANGO,
            path=step.source.path,
            text=step.source.text,
            tree=tree,
            atomic=migration.atomic,
            phase=step.phase,
            explained=str(getattr(migration, "irreversible", "")),
            sights=[one for one in found if isinstance(one, Sight)],
            functions=[one for one in found if isinstance(one, Function)],
            unseen=[one for one in found if isinstance(one, Unseen)],
            cut_names=[one for one in found if isinstance(one, CutName)],
            one_way=[one for one in found if isinstance(one, Spot)],
            astray=[one for one in found if isinstance(one, Astray)],
            squash=bool(migration.replaces),
        )

    def _walk(self, name: Name, migration: Migration, places: Places) -> Iterator[_Found]:
        count = len(migration.operations)
        for number, operation in enumerate(migration.operations):
            spot = places.of((number,), count, operation.describe())
            inside = bool(getattr(operation, "atomic", None) or migration.atomic)
            place = _Place(name=name, path=(number,), spot=spot, in_transaction=inside)
            yield from self._of_operation(place, operation, places, count)
            self._tables.move_on(name[0], operation, name)

    def _of_operation(
        self, place: _Place, operation: Operation, places: Places, count: int
    ) -> Iterator[_Found]:
        yield from self._astray(place, operation)
        if isinstance(operation, SeparateDatabaseAndState | ColumnOperation):
            for number, inner in enumerate(_inside(operation)):
                path = (*place.path, number)
                spot = places.of(path, count, inner.describe())
                yield from self._of_operation(replace(place, path=path, spot=spot), inner, places, count)
        elif isinstance(operation, Backfill):
            pass  # batches that commit one by one are what lint asks for
        elif isinstance(operation, RunPython):
            for found in _of_python(place, operation):
                yield found
                yield from self._sent_by(place, found)
        elif self._is_postgres:
            yield from self._of_schema(place, operation)
        if not operation.reversible:
            yield place.spot

    def _astray(self, place: _Place, operation: Any) -> Iterator[Astray]:
        """Say what goes wrong with a model that goes to another app."""
        kind = next((each for each in (CreateModel, DeleteModel) if isinstance(operation, each)), None)
        if kind and (text := self.moves.lost.get((place.name, kind, operation.name_lower))):
            yield Astray(spot=place.spot, text=text)
        if isinstance(operation, MoveModel) and (text := self.moves.early.get(place.name)):
            yield Astray(spot=place.spot, text=text, is_early=True)

    def _sent_by(self, place: _Place, function: Function | Unseen) -> Iterator[_Found]:
        """Read the SQL that a function sends on the way forward, where it is written out."""
        if not self._is_postgres or not isinstance(function, Function) or not function.forwards:
            return
        for line, sql in functions.sent_by(function):
            spot = Spot(line=line, end=line) if function.is_of(Nodes(self._tree)) else place.spot
            yield from self._of_sql(place, [sql], spot)

    def _of_schema(self, place: _Place, operation: Operation) -> Iterator[Sight | Unseen | CutName]:
        if isinstance(operation, RunSQL):
            yield from self._of_sql(place, operation.sql, place.spot)
            return
        acts = self._operations.acts(place.name[0], operation)
        if acts is None:
            yield Unseen(spot=place.spot, why=f"{type(operation).__name__} is no operation of Django's")
            return
        listed = list(acts)
        eased = eased_by(operation, listed, self._before(place, operation)) if self._eases else ()
        for act in listed:
            if act.kind is Kind.CREATE_TABLE:
                self._tables.make(act.table, place.name)
            yield replace(self._sight(place, act, operation), eased=act.kind in eased)

    def _before(self, place: _Place, operation: Any) -> Any:
        """Return the field that an operation changes, as it is before; None for other operations."""
        if not isinstance(operation, AlterField):
            return None
        return self._tables.get(place.name[0], operation.model_name).fields.get(operation.name)

    def _of_sql(self, place: _Place, sql: Any, spot: Spot) -> Iterator[Sight | Unseen | CutName]:
        for one in written.read(sql, spot):
            if not isinstance(one, written.Written):
                yield one
                continue
            if one.act.kind is Kind.CREATE_TABLE:
                self._tables.make(one.act.table.rpartition(".")[2], place.name)
            inside = place.in_transaction or one.together
            yield self._sight(replace(place, spot=one.spot, in_transaction=inside), one.act, None)

    def _sight(self, place: _Place, act: Act, operation: Any) -> Sight:
        fresh = self._tables.is_fresh(act.table, {*self._release, place.name})
        return Sight(
            act=act,
            spot=place.spot,
            number=place.path[0],
            fresh=fresh,
            in_transaction=place.in_transaction,
            old_type=self._old_type(place, act, operation),
            proved=self._is_proved(place, act, operation),
        )

    def _old_type(self, place: _Place, act: Act, operation: Any) -> str:
        if act.kind is not Kind.TYPE:
            return ""
        if operation is None:
            found = self._tables.column(act.table, act.columns[0])
            return self._columns.type_of(found[2], *found[:2]) if found else ""
        app, model = place.name[0], operation.model_name
        return self._columns.type_of(self._tables.get(app, model).fields[operation.name], app, model)

    def _is_proved(self, place: _Place, act: Act, operation: Any) -> bool:
        if act.kind is not Kind.NOT_NULL or operation is None:
            return False
        return operation.name in self._tables.get(place.name[0], operation.model_name).proved


def _inside(operation: SeparateDatabaseAndState | ColumnOperation) -> Sequence[Operation]:
    """Return what an operation does to the database, in operations of Django's."""
    if isinstance(operation, ColumnOperation):
        return operation.as_django()
    found: Sequence[Operation] = operation.database_operations
    return found


def _of_python(place: _Place, operation: Any) -> Iterator[Function | Unseen]:
    number = place.path[0]
    yield functions.read(operation.code, number, place.spot, forwards=True)
    back = operation.reverse_code
    if back is not None and back is not RunPython.noop:
        yield functions.read(back, number, place.spot, forwards=False)


_Found = Sight | Function | Unseen | CutName | Astray | Spot
"""What going through a migration gives; a spot stands for an operation without a way back."""
