"""What has to be unique gets its index beside those who write; a constraint is made of it in no time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.backends.ddl_references import Statement
from django.db.migrations.operations.base import Operation
from django.db.models import Model, UniqueConstraint

from migrator.relational.safety import django_sql
from migrator.relational.safety.case import Case, added, removed
from migrator.relational.safety.parts import AttachUnique, BuildIndex, Makes, altered

_INDEX = "CREATE UNIQUE INDEX %(name)s ON %(table)s (%(columns)s)%(nulls_distinct)s"


class AttachPrimary(AttachUnique):
    """Make the primary key of a unique index of the same name."""

    becomes = "PRIMARY KEY"

    def undo(self, model: type[Model], editor: Any) -> None:
        """Drop it, whatever it is called by now; its index goes along."""
        for name in [self.name] if editor.collect_sql else django_sql.live_primary(model, editor):
            editor.execute(altered(model, editor, f"DROP CONSTRAINT {editor.quote_name(name)}"))


def adding(case: Case) -> Sequence[Operation]:
    """Rewrite a unique constraint that is added."""
    return added(case, _parts)


def removing(case: Case) -> Sequence[Operation]:
    """Rewrite one that is removed, which its way back adds."""
    return removed(case, _parts)


def _parts(model: str, constraint: object) -> Sequence[Operation]:
    if type(constraint) is not UniqueConstraint:
        return ()
    return _parts_of(model, constraint)


def _parts_of(model: str, constraint: Any) -> Sequence[Operation]:
    def makes(of: type[Model], editor: Any) -> Statement:
        statement: Statement = constraint.create_sql(of, editor)
        return statement

    name = constraint.name
    if constraint.condition or constraint.include or constraint.opclasses or constraint.expressions:
        return (BuildIndex(model, name, makes),)
    return unique_parts(model, name, makes, deferrable_words(constraint.deferrable))


def unique_parts(
    model: str, name: str, makes: Makes, deferrable: str = "", fields: Sequence[str] = ()
) -> Sequence[Operation]:
    """
    Return the parts of a unique constraint.

    Args:
        model: The model.
        name: Of the constraint.
        makes: Makes Django's statement that adds it.
        deferrable: When it is checked, as Django writes it.
        fields: Its fields, where no model names it.
    """

    def index(of: type[Model], editor: Any) -> Statement:
        return Statement(_INDEX, **makes(of, editor).parts)

    return (BuildIndex(model, name, index), AttachUnique(model, name, makes, deferrable, fields))


def primary_parts(
    model_name: str, model: type[Model], editor: Any, field: Any, name: str | None = None
) -> Sequence[Operation]:
    """
    Return the parts of a primary key.

    Args:
        model_name: The model.
        model: Its class, with the key.
        editor: Django's schema editor, to ask for names.
        field: The field.
        name: Of the constraint, if it isn't Django's own.
    """

    def makes(of: type[Model], editor: Any) -> Statement:
        return django_sql.primary(of, editor, of._meta.get_field(field.name), name)

    def index(of: type[Model], editor: Any) -> Statement:
        return Statement(_INDEX, nulls_distinct="", **makes(of, editor).parts)

    made = django_sql.name_of(makes(model, editor))
    return (BuildIndex(model_name, made, index), AttachPrimary(model_name, made, makes))


def deferrable_words(deferrable: Any) -> str:
    """Write when a constraint is checked, as PostgreSQL does."""
    return "" if deferrable is None else f" DEFERRABLE INITIALLY {deferrable.name}"
