"""What migrations do beside making models: extensions and collations, and what they take away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import router
from django.db.backends.utils import truncate_name
from django.db.migrations import SeparateDatabaseAndState
from django.db.migrations.operations.fields import AddField, RemoveField, RenameField
from django.db.migrations.operations.models import AlterModelTable, CreateModel, DeleteModel, RenameModel
from django.db.migrations.state import ModelState, ProjectState

from accord.seam.differences import Difference, DifferenceKind
from migrator.relational import content_types
from migrator.relational.loader import Name
from migrator.relational.moves import move_of, renamed_tables
from migrator.relational.vendors import vendor_of

Place = tuple[str, str]
"""A table and its column; no column stands for the table itself."""
_MISSING, _LEFT = DifferenceKind.MISSING, DifferenceKind.LEFT
_LOOKUPS = {
    "extension": "SELECT extname FROM pg_extension WHERE extname = %s",
    "collation": "SELECT collname FROM pg_collation WHERE collname = %s",
}


@dataclass
class Traces:
    """
    What should be there, or should be gone, by the migration that did it last.

    Attributes:
        alias: The database: what its router keeps out of it leaves no trace.
        longest: How long a name may be there.
        made: By kind and name.
        gone: By place.
        moved: By app label and name of models that another app has since.
    """

    alias: str
    longest: int | None
    made: dict[tuple[str, str], Name] = field(default_factory=dict)
    gone: dict[Place, Name] = field(default_factory=dict)
    moved: dict[tuple[str, str], Name] = field(default_factory=dict)

    def note(self, name: Name, operation: Any, before: ProjectState) -> None:
        """Take note of one operation of a migration; `before` is the state that it meets."""
        if isinstance(operation, SeparateDatabaseAndState):
            # What only the state forgets was meant to stay.
            for inner in operation.database_operations:
                self.note(name, inner, before)
            return
        self._note_object(name, operation)
        self._note_label(name, operation)
        for place in self._appeared(name[0], operation, before):
            self.gone = {gone: step for gone, step in self.gone.items() if not _covers(place, gone)}
        for place in self._vanished(name[0], operation, before):
            self.gone[place] = name

    def counted(self, name: Name) -> int:
        """Count the traces of a migration."""
        return sum(step == name for step in (*self.made.values(), *self.gone.values(), *self.moved.values()))

    def amiss(self, connection: Any) -> Iterator[tuple[Name, Difference]]:
        """Look for them; give what is not as it should be, with the migration."""
        for (kind, wanted), name in self.made.items():
            if not _is_there(connection, kind, wanted):
                yield name, Difference(kind=_MISSING, text=f"The {kind} {wanted} is missing.")
        for app, model in content_types.standing(connection, self.moved):
            text = f"The content type {app}.{model} is still there, or is there again."
            yield self.moved[app, model], Difference(kind=_LEFT, text=text)
        tables = vendor_of(connection).standing(connection, {table for table, _ in self.gone})
        for (table, column), name in self.gone.items():
            if table in tables and not column:
                yield name, Difference(kind=_LEFT, text=f"The table {table} is still there.")
            elif table in tables and column in _columns(connection, table):
                yield name, Difference(kind=_LEFT, text=f"The column {table}.{column} is still there.")

    def tables(self, model: ModelState) -> Iterator[str]:
        """Yield the table of a model, and those that Django makes for its many-to-many fields."""
        yield self._table(model.app_label, model.name_lower, model.options)
        for name, found in model.fields.items():
            if found.many_to_many:
                yield from (table for table, _ in self._places(model, name, found))

    def _note_label(self, name: Name, operation: Any) -> None:
        """Take note of a label that is gone, or in use again."""
        move = move_of(name[0], operation)
        if isinstance(operation, CreateModel):
            self.moved.pop((name[0], operation.name_lower), None)
        elif isinstance(operation, RenameModel):
            self.moved.pop((name[0], operation.new_name_lower), None)
        elif move is not None:
            self.moved.pop(move.new_key, None)
            self.moved[move.old_key] = name

    def _note_object(self, name: Name, operation: Any) -> None:
        kind = type(operation)
        ancestors = {f"{each.__module__}.{each.__name__}" for each in kind.__mro__}
        base = "django.contrib.postgres.operations."
        if f"{base}CreateExtension" in ancestors:
            self.made["extension", operation.name] = name
        elif f"{base}CreateCollation" in ancestors:
            self.made["collation", operation.name] = name
        elif f"{base}RemoveCollation" in ancestors:
            self.made.pop(("collation", operation.name), None)

    def _appeared(self, app: str, operation: Any, before: ProjectState) -> Iterator[Place]:
        """Yield what is there again."""
        if move := move_of(app, operation):
            yield from ((new, "") for _, new in renamed_tables(move, before))
        elif isinstance(operation, CreateModel):
            yield self._table(app, operation.name_lower, operation.options), ""
        elif isinstance(operation, RenameModel | AlterModelTable):
            yield self._renamed(app, operation, before)[1], ""
        elif isinstance(operation, AddField | RenameField):
            new = operation.name if isinstance(operation, AddField) else operation.new_name
            model = before.models[app, operation.model_name_lower]
            old = operation.field if isinstance(operation, AddField) else model.fields[operation.old_name]
            yield from self._places(model, new, old)

    def _vanished(self, app: str, operation: Any, before: ProjectState) -> Iterator[Place]:
        """Yield what is there no more, of models that this database keeps."""
        move = move_of(app, operation)
        if move is not None and self._is_kept(before.models[move.old_key]):
            yield from ((old, "") for old, new in renamed_tables(move, before) if old != new)
        if not isinstance(operation, DeleteModel | RenameModel | AlterModelTable | RemoveField | RenameField):
            return
        model = before.models[app, _model_of(operation)]
        if not self._is_kept(model):
            return
        if isinstance(operation, DeleteModel):
            yield self._table(app, model.name_lower, model.options), ""
        elif isinstance(operation, RenameModel | AlterModelTable):
            old, new = self._renamed(app, operation, before)
            yield from [(old, "")] if old != new else []
        else:
            yield from self._left_by_field(model, operation)

    def _left_by_field(self, model: ModelState, operation: Any) -> Iterator[Place]:
        old = operation.name if isinstance(operation, RemoveField) else operation.old_name
        left = set(self._places(model, old, model.fields[old]))
        if isinstance(operation, RenameField):
            left -= set(self._places(model, operation.new_name, model.fields[old]))
        yield from left

    def _is_kept(self, model: ModelState) -> bool:
        stands = model.options.get("managed", True) and not model.options.get("proxy")
        takes = router.allow_migrate(self.alias, model.app_label, model_name=model.name_lower)
        return bool(stands and takes)

    def _renamed(self, app: str, operation: Any, before: ProjectState) -> tuple[str, str]:
        old = operation.old_name_lower if isinstance(operation, RenameModel) else operation.name_lower
        options = before.models[app, old].options
        if isinstance(operation, RenameModel):
            return self._table(app, old, options), self._table(app, operation.new_name_lower, options)
        return self._table(app, old, options), self._table(app, old, {"db_table": operation.table})

    def _table(self, app: str, lowered: str, options: Any) -> str:
        named = options.get("db_table")
        return str(named or truncate_name(f"{app}_{lowered}", self.longest))

    def _places(self, model: ModelState, name: str, found: Any) -> Iterator[Place]:
        """Yield what Django makes for a field: its column, or a table of links, if that is Django's own."""
        table = self._table(model.app_label, model.name_lower, model.options)
        if not found.many_to_many:
            yield table, str(found.db_column or (f"{name}_id" if found.remote_field else name))
        elif found.remote_field.through is None:
            yield str(found.db_table or truncate_name(f"{table}_{name}", self.longest)), ""


def _model_of(operation: Any) -> str:
    """Return the name of the model that an operation takes something from, as it is before."""
    if isinstance(operation, RemoveField | RenameField):
        return operation.model_name_lower
    return str(operation.old_name_lower if isinstance(operation, RenameModel) else operation.name_lower)


def _covers(appeared: Place, gone: Place) -> bool:
    return appeared == gone or (not appeared[1] and appeared[0] == gone[0])


def _is_there(connection: Any, kind: str, name: str) -> bool:
    if connection.vendor != "postgresql":
        return True  # there, the operation does nothing
    with connection.cursor() as cursor:
        cursor.execute(_LOOKUPS[kind], [name])
        return cursor.fetchone() is not None


def _columns(connection: Any, table: str) -> Sequence[str]:
    if not vendor_of(connection).has_columns:
        return ()
    with vendor_of(connection).introspected(connection, table) as name, connection.cursor() as cursor:
        return [column.name for column in connection.introspection.get_table_description(cursor, name)]
