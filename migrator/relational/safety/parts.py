"""
Operations of the suite's own, of which a rewritten one is made, beside those that Django has.

Each does one thing to one table and undoes it, and says what a kill in its middle may leave. The model is
taken from the state in which there is what it is about: the one after it, whichever way it goes.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.operations import NotInTransactionMixin
from django.db.backends.ddl_references import Statement
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import NOT_PROVIDED, Model

from accord.locks.patience import Behind
from accord.seam.types import Direction
from migrator.relational.indexes import IndexPlan
from migrator.relational.refusals import SubstepKind
from migrator.relational.safety import django_sql
from migrator.relational.vendors import is_concurrent

PAGES = 256
"""Pages of a table (2 MB) that are filled in one transaction."""
Makes = Callable[[type[Model], Any], Statement]
"""Makes a statement of Django's for a model, by a schema editor."""


class Part(Operation):
    """
    One part of an operation.

    Args:
        model_name: The model.
        name: Of what it is about, as the catalog has it.
    """

    reversible = True
    atomic = True
    kind = SubstepKind.TRANSACTIONAL
    goes_on = False
    """Does it do, when it is done again, what was left of it?"""
    behind = Behind.EVERYBODY
    """Who waits behind it while it waits, outside of a transaction."""
    sure = False
    """Are its names the suite's own, and could no row refuse it?"""

    def __init__(self, model_name: str, name: str) -> None:
        self.model_name = model_name
        self.name = name

    @abstractmethod
    def do(self, model: type[Model], editor: Any) -> None:
        """Do it."""

    @abstractmethod
    def undo(self, model: type[Model], editor: Any) -> None:
        """Undo it."""

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Leave the state alone: the operation that this is a part of changes it."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Do it, as Django calls that."""
        self.do(to_state.apps.get_model(app_label, self.model_name), schema_editor)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Undo it, as Django calls that."""
        self.undo(from_state.apps.get_model(app_label, self.model_name), schema_editor)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return what it is made of, for the digest of what is done."""
        return type(self).__qualname__, [], {"model_name": self.model_name, "name": self.name}

    def describe(self) -> str:
        """Say what it is, for people."""
        return f"{type(self).__qualname__} {self.name} on model {self.model_name}"


class Reversed(Part):
    """
    A part that goes the other way round: what is undone on the way forward is done on the way back.

    Args:
        part: The part, or an operation of Django's.
    """

    def __init__(self, part: Any) -> None:
        super().__init__(part.model_name, getattr(part, "name", ""))
        self.part = part
        self.atomic = part.atomic  # type: ignore[misc]  # Django asks the object
        self.kind = SubstepKind.CONCURRENT if is_concurrent(part) else getattr(part, "kind", self.kind)
        self.goes_on = getattr(part, "goes_on", False)
        self.behind = getattr(part, "behind", self.behind)
        self.sure = getattr(part, "sure", self.sure)

    def do(self, model: type[Model], editor: Any) -> None:
        """See the methods below, which leave the choice of the model to the part."""
        raise NotImplementedError

    undo = do

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Undo it: the state before holds what goes."""
        self.part.database_backwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Do it."""
        self.part.database_forwards(app_label, schema_editor, from_state, to_state)

    def planned(self, app: str, before: ProjectState, after: ProjectState, direction: Direction) -> IndexPlan:
        """Return which index is built or dropped."""
        other = Direction.REVERT if direction is Direction.APPLY else Direction.APPLY
        plan: IndexPlan = self.part.planned(app, after, before, other)
        return plan

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return what the part is made of."""
        name, args, kwargs = self.part.deconstruct()
        return f"Reversed {name}", args, kwargs


@dataclass(frozen=True)
class BuiltIndex:
    """An index that Django makes a statement for, and that no model declares by itself."""

    name: str
    makes: Makes

    def create_sql(self, model: type[Model], editor: Any) -> Statement:
        """Return the statement."""
        return self.makes(model, editor)


class BuildIndex(NotInTransactionMixin, Part):
    """
    Build an index beside those who write.

    Args:
        model_name: The model.
        name: Of the index.
        makes: Makes its statement.
    """

    atomic = False
    kind = SubstepKind.CONCURRENT

    def __init__(self, model_name: str, name: str, makes: Makes) -> None:
        super().__init__(model_name, name)
        self._makes = makes

    def planned(self, app: str, before: ProjectState, after: ProjectState, direction: Direction) -> IndexPlan:
        """Return which index is built or dropped."""
        model = after.apps.get_model(app, self.model_name)
        index: Any = BuiltIndex(self.name, self._makes)
        return IndexPlan(model, index, direction is Direction.APPLY)

    def do(self, model: type[Model], editor: Any) -> None:
        """Send it."""
        self._ensure_not_in_transaction(editor)
        editor.execute(str(self._makes(model, editor)).replace("INDEX", "INDEX CONCURRENTLY", 1), None)

    def undo(self, model: type[Model], editor: Any) -> None:
        """Drop it."""
        self._ensure_not_in_transaction(editor)
        place = editor.quote_name(self.name)
        editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {place}")


class AddUnvalidated(Part):
    """
    Add a constraint that holds for new rows, without a look at those that stand.

    Args:
        model_name: The model.
        name: Of the constraint.
        makes: Makes Django's statement that adds it.
    """

    def __init__(self, model_name: str, name: str, makes: Makes) -> None:
        super().__init__(model_name, name)
        self._makes = makes

    def do(self, model: type[Model], editor: Any) -> None:
        """Add it."""
        editor.execute(f"{self._makes(model, editor)} NOT VALID", None)

    def undo(self, model: type[Model], editor: Any) -> None:
        """Drop it."""
        editor.execute(altered(model, editor, f"DROP CONSTRAINT {editor.quote_name(self.name)}"))


class Validate(Part):
    """Have the server check a constraint, beside readers and writers."""

    def do(self, model: type[Model], editor: Any) -> None:
        """Check every row."""
        editor.execute(altered(model, editor, f"VALIDATE CONSTRAINT {editor.quote_name(self.name)}"))

    def undo(self, model: type[Model], editor: Any) -> None:
        """Leave it: a constraint can't be made unchecked."""


class AttachUnique(Part):
    """
    Make a constraint of a unique index of the same name.

    Args:
        model_name: The model.
        name: Of both.
        deferrable: What follows in the statement, as Django writes it.
        fields: Its fields, where no model names it: what is undone may have another name by then.
        makes: Makes Django's statement that adds the constraint with an index of its own.
    """

    becomes = "UNIQUE"

    def __init__(
        self, model_name: str, name: str, makes: Makes, deferrable: str = "", fields: Sequence[str] = ()
    ) -> None:
        super().__init__(model_name, name)
        self._makes = makes
        self._deferrable = deferrable
        self._fields = fields

    def do(self, model: type[Model], editor: Any) -> None:
        """Attach it."""
        name = editor.quote_name(self.name)
        # Dropped, it took its index along; a run that turned back just then finds neither.
        if not editor.collect_sql and not _has_index(editor, name):
            editor.execute(self._makes(model, editor), None)
            return
        words = f"ADD CONSTRAINT {name} {self.becomes} USING INDEX {name}{self._deferrable}"
        editor.execute(altered(model, editor, words))

    def undo(self, model: type[Model], editor: Any) -> None:
        """Drop it; its index goes along."""
        found = django_sql.live_uniques(model, editor, self._fields) if self._fields else [self.name]
        for name in found:
            editor.execute(altered(model, editor, f"DROP CONSTRAINT {editor.quote_name(name)}"))


class AddColumn(Part):
    """
    Add the column of a field, without what would read or index the rows that stand.

    Args:
        model_name: The model.
        name: Of the field.
        without_reference: Leave the foreign key out, too.
        default: For the rows that stand, if it isn't the field's.
    """

    def __init__(self, model_name: str, name: str, *, without_reference: bool, default: Any) -> None:
        super().__init__(model_name, name)
        self._without_reference = without_reference
        self._default = default

    def do(self, model: type[Model], editor: Any) -> None:
        """Add it, as Django does."""
        field = django_sql.with_default(model._meta.get_field(self.name), self._default)
        editor.add_field(model, django_sql.bare(field, reference=not self._without_reference))

    def undo(self, model: type[Model], editor: Any) -> None:
        """Remove it, as Django does."""
        editor.remove_field(model, model._meta.get_field(self.name))


class Backfill(Part):
    """
    Give rows that hold NULL the default of a field, some pages at a time; a kill leaves what is done.

    Args:
        model_name: The model.
        name: Of the field.
        default: If it isn't the field's.
    """

    atomic = False
    kind = SubstepKind.PLAIN
    goes_on = True

    def __init__(self, model_name: str, name: str, default: Any = NOT_PROVIDED) -> None:
        super().__init__(model_name, name)
        self._default = default

    def do(self, model: type[Model], editor: Any) -> None:
        """Fill what is NULL in the pages that there are; new rows have to be kept from it by a check."""
        field = django_sql.with_default(model._meta.get_field(self.name), self._default)
        table, column = editor.quote_name(model._meta.db_table), editor.quote_name(field.column)
        value, params = "%s", [editor.effective_default(field)]
        if field.has_db_default():
            value, params = editor.db_default_sql(field)
        fill = f"UPDATE {table} SET {column} = {value} WHERE {column} IS NULL"  # noqa: S608 - quoted
        if editor.collect_sql:
            editor.execute(fill, params)
            return
        for first in range(0, pages(editor.connection, table), PAGES):
            # A page beyond the last has none of these rows: what is filled moves there.
            some = f"ctid >= '({first},0)' AND ctid < '({first + PAGES},0)'"
            editor.execute(f"{fill} AND {some}", params)

    def undo(self, model: type[Model], editor: Any) -> None:
        """Leave the values: which rows held NULL nobody knows."""


def _has_index(editor: Any, quoted: str) -> bool:
    with editor.connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [quoted])
        return bool(cursor.fetchone()[0])


def pages(connection: Any, table: str) -> int:
    """Return how many pages a table has, by its quoted name."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size(%s::regclass) / current_setting('block_size')::int", [table])
        return int(cursor.fetchone()[0])


def altered(model: type[Model], editor: Any, change: str) -> str:
    """Return a change of a model's table as a statement."""
    return f"ALTER TABLE {editor.quote_name(model._meta.db_table)} {change}"
