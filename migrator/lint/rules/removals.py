"""What running code reads or writes stays until no code does."""

from __future__ import annotations

from collections.abc import Iterator

from accord.seam.types import Phase
from migrator.foretelling.acts import Kind
from migrator.lint.finding import Severity
from migrator.lint.rule import Found, Rule, about
from migrator.lint.subject import Subject


def _column(subject: Subject) -> Iterator[Found]:
    if subject.phase is not Phase.CONTRACT:
        for sight in subject.standing(Kind.DROP_COLUMN):
            yield about(
                sight,
                f"{sight.act.place} goes before the deploy, and code that runs now reads and writes it.",
            )


def _table(subject: Subject) -> Iterator[Found]:
    if subject.phase is not Phase.CONTRACT:
        for sight in subject.standing(Kind.DROP_TABLE):
            yield about(
                sight,
                f"{sight.act.place} goes before the deploy, and code that runs now reads and writes it.",
            )


def _left_behind(subject: Subject) -> Iterator[Found]:
    yield from (Found(text=one.text, spot=one.spot) for one in subject.astray if not one.is_early)


def _early(subject: Subject) -> Iterator[Found]:
    yield from (Found(text=one.text, spot=one.spot) for one in subject.astray if one.is_early)


def _late(subject: Subject) -> Iterator[Found]:
    if subject.phase is Phase.CONTRACT:
        for sight in subject.sights:
            if sight.act.kind in (Kind.CREATE_TABLE, Kind.ADD_COLUMN):
                yield about(sight, f"{sight.act.place} comes after the deploy of the code that needs it.")


def _renamed(subject: Subject) -> Iterator[Found]:
    for sight in subject.standing(Kind.RENAME):
        act = sight.act
        old, new = act.columns or (act.table, act.target)
        yield about(
            sight,
            f"{old} becomes {new} at once: either the code before the deploy or the one after "
            "it finds nothing.",
        )


def _emptied(subject: Subject) -> Iterator[Found]:
    for sight in subject.standing(Kind.TRUNCATE):
        yield about(sight, f"All rows of {sight.act.table} go, while readers and writers wait.")


def _schema(subject: Subject) -> Iterator[Found]:
    for sight in subject.sights:
        if sight.act.kind is Kind.DROP_SCHEMA:
            yield about(sight, f"{sight.act.name} goes with everything in it.")


def _cascade(subject: Subject) -> Iterator[Found]:
    for sight in subject.sights:
        if sight.act.cascade and sight.act.kind is not Kind.DROP_SCHEMA:
            yield about(sight, "CASCADE takes along whatever depends on it, named nowhere.")


RULES = (
    Rule(
        id="column-dropped",
        title="A column goes after the code that uses it.",
        safe=(
            "Take the field out of the state first (SeparateDatabaseAndState), drop the "
            'column in a later migration with phase = "contract".'
        ),
        check=_column,
    ),
    Rule(
        id="table-dropped",
        title="A table goes after the code that uses it.",
        safe=(
            "Take the model out of the state first (SeparateDatabaseAndState), drop the table "
            'in a later migration with phase = "contract".'
        ),
        check=_table,
    ),
    Rule(
        id="model-moved",
        title="A model that goes to another app takes its rows along.",
        safe=(
            "Write MoveModel of migrator.operations into the app that takes it, and neither DeleteModel nor "
            "CreateModel."
        ),
        check=_left_behind,
    ),
    Rule(
        id="move-unordered",
        title="A model moves after every migration that knows it by its old label.",
        safe="Add the last migration of each app that names the model to the move's dependencies.",
        check=_early,
    ),
    Rule(
        id="phases-mixed",
        title="What comes is there before the code that needs it, what goes stays until no code does.",
        safe='Add it in a migration of its own, with phase = "expand", before this one.',
        check=_late,
        severity=Severity.WARNING,
    ),
    Rule(
        id="renamed",
        title="Running code finds tables and columns by the names that it knows.",
        safe=(
            "Keep the old name with db_column or db_table, or add the new one, write both, "
            "and drop the old one after the deploy."
        ),
        check=_renamed,
    ),
    Rule(
        id="rows-truncated",
        title="No migration empties a table.",
        safe="Delete in batches what has to go, and say what it is.",
        check=_emptied,
    ),
    Rule(
        id="schema-dropped",
        title="No migration drops a schema or a database.",
        safe="Drop what is in it, object by object, so that each is seen.",
        check=_schema,
    ),
    Rule(
        id="cascade",
        title="What is dropped is named.",
        safe="Name what depends on it in statements of their own, and leave CASCADE out.",
        check=_cascade,
        severity=Severity.ERROR,
    ),
)
