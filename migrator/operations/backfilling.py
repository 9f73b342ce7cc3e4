"""What a backfill does, there and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.db.models import Model

from accord.seam.types import Direction
from migrator.operations import filling
from migrator.operations.code import Code
from migrator.operations.compiling import Column, columns, condition, different, field_of, lacking
from migrator.operations.filling import Fill, last_place
from migrator.operations.keys import are_told, has_unique, walk_along
from migrator.operations.positions import Book, Position
from migrator.operations.proving import Proof
from migrator.operations.said import Said
from migrator.operations.sparing import Subject
from migrator.operations.sql import EVERY, Sql, both, joined, put, send
from migrator.operations.walking import Walk
from migrator.relational import hearing


@dataclass(frozen=True, kw_only=True)
class Place:
    """
    Where an operation runs.

    Attributes:
        app: Label of the app.
        file: Module of the migration.
        model: Its model, as it is at that time.
        editor: Django's schema editor.
        apps: The models of that time.
    """

    app: str
    file: str
    model: type[Model]
    editor: Any
    apps: Any

    @property
    def connection(self) -> Any:
        """The database."""
        return self.editor.connection

    @property
    def table(self) -> str:
        """The quoted table."""
        return str(self.connection.ops.quote_name(self.model._meta.db_table))


@dataclass(frozen=True, kw_only=True)
class Work:
    """
    What an operation says in one direction, as SQL.

    Attributes:
        written: Columns with their values; none where code says them.
        where: Which rows.
        lacks: Condition of a row that isn't filled; None where that can't be told.
        code: The function, where there is one.
    """

    written: tuple[Column, ...]
    where: Sql
    lacks: Sql | None
    code: Code | None

    @property
    def todo(self) -> Sql:
        """Condition of the rows that are written."""
        return self.where if self.lacks is None else self.lacks

    def update(self, table: str, chosen: Sql) -> Sql:
        """Return the statement that fills rows of a condition."""
        values = ((one.name, one.value or Sql("NULL")) for one in self.written)
        setting = joined(", ", (put("{} = {}", name, value) for name, value in values))
        return put("UPDATE {} SET {} WHERE {}", Sql.written(table), setting, chosen)


def act(said: Said, place: Place, direction: Direction) -> None:
    """
    Do or undo a backfill, or write its statement down where that is all that is wanted.

    Raises:
        InvalidRevision: It names a field that isn't there.
        StepFailed: The table can't be walked over, rows refuse their values, or some are left without.
    """
    work = _work(said, place, direction)
    if place.editor.collect_sql:
        _collect(said, place, work)
    elif direction is Direction.APPLY:
        _forwards(said, place, work)
    else:
        _backwards(said, place, work)


def _work(said: Said, place: Place, direction: Direction) -> Work:
    model, connection, function = place.model, place.connection, said.function(direction)
    where = both(*(condition(model, connection, each) for each in said.conditions(direction)))
    written = columns(model, connection, said.values(direction))
    code = _code(said, place, function) if function else None
    differs = different(written) if written else None
    if direction is Direction.APPLY and said.lacks:
        differs = condition(model, connection, said.lacks)
    elif direction is Direction.APPLY and code and where != EVERY:
        differs = EVERY
    return Work(written=written, where=where, lacks=lacking(where, differs), code=code)


def _code(said: Said, place: Place, function: Any) -> Code:
    for name in said.writes:
        field_of(place.model, name)
    return Code(
        function=function, model=place.model, writes=said.writes, apps=place.apps, editor=place.editor
    )


def _collect(said: Said, place: Place, work: Work) -> None:
    if not work.written:
        return
    keys = ", ".join(str(field.column) for field in place.model._meta.pk_fields)
    place.editor.collected_sql.append(
        f"-- {said.title}: in batches of {said.batch_size} by {keys}, each in a transaction"
    )
    statement = work.update(place.table, work.todo)
    place.editor.execute(statement.text, list(statement.params))


def _forwards(said: Said, place: Place, work: Work) -> None:
    fill = _fill(said, place, work)
    proof = None if work.lacks is None else Proof(fill, work.lacks)
    book = _book(said, place)
    if not book.begin(last_place(place.connection, fill.walk)).finished:
        watch = proof.refuse_endless(place.connection) if proof else filling.unwatched
        filling.forwards(place.connection, fill, book, watch=watch)
    elif proof is None:
        hearing.noted(f"{said.title}: every row was written before, and isn't written again")
    if proof:
        proof.complete(place.connection)


def _backwards(said: Said, place: Place, work: Work) -> None:
    fill = _fill(said, place, work)
    book = _book(said, place)
    book.turn(last_place(place.connection, fill.walk))
    if work.written or work.code:
        filling.backwards(place.connection, fill, book)
    else:
        book.write(Position())


def _fill(said: Said, place: Place, work: Work) -> Fill:
    keys = [place.connection.ops.quote_name(field.column) for field in place.model._meta.pk_fields]
    walk = walk_along(place.connection, place.table, keys)
    most = said.batch_size
    return Fill(
        walk=walk,
        todo=work.todo,
        change=_change(place, work, walk),
        sizes=replace(filling.SIZES, first=min(filling.SIZES.first, most), most=most),
        subject=_subject(said, place),
        each=work.code is None,
        pause=said.pause,
        keeps_end=work.lacks is None and are_told(walk),
    )


def _change(place: Place, work: Work, walk: Walk) -> Callable[[Sql], int]:
    if work.code is None:
        return lambda chosen: send(place.connection, work.update(walk.table, chosen))
    names = [place.connection.ops.quote_name(field_of(place.model, one).column) for one in work.code.writes]
    return partial(work.code.change, walk, unique=has_unique(place.connection, walk.table, names))


def _subject(said: Said, place: Place) -> Subject | None:
    if said.subject is None:
        return None
    kind, name = said.subject
    column = field_of(place.model, name).column
    return Subject(kind, Sql.written(place.connection.ops.quote_name(column)))


def _book(said: Said, place: Place) -> Book:
    what = f"{said.title} ({place.model._meta.db_table})"
    return Book(place.connection.alias, place.app, what, said.identity(place.file))
