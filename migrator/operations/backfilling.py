"""What a backfill does, there and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.db.models import Model

from accord.errors import StepFailed
from accord.seam.types import Direction
from accord.words import counted
from migrator.operations import filling, keeping
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
from migrator.relational import before, hearing
from migrator.relational.before import Kept


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
        return put("{} WHERE {}", self.setting(table), chosen)

    def setting(self, table: str) -> Sql:
        """Return that statement up to its condition."""
        values = ((one.name, one.value or Sql("NULL")) for one in self.written)
        news = joined(", ", (put("{} = {}", name, value) for name, value in values))
        return put("UPDATE {} SET {}", Sql.written(table), news)


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
    book = _book(said, place)
    walk = _walk(place)
    kept = _kept(said, place, walk, book)
    fill = _fill(said, place, work, walk, _writing(place, work, walk, kept))
    proof = None if work.lacks is None else Proof(fill, work.lacks)
    if kept is not None:
        before.make(place.connection, kept)
    if not book.begin(last_place(place.connection, fill.walk)).finished:
        watch = proof.refuse_endless(place.connection) if proof else filling.unwatched
        if kept is not None:
            book.keep(kept.name, said.keep_before)
        filling.forwards(place.connection, fill, book, watch=watch)
    elif proof is None:
        hearing.noted(f"{said.title}: every row was written before, and isn't written again")
    if proof:
        proof.complete(place.connection)


def _backwards(said: Said, place: Place, work: Work) -> None:
    book = _book(said, place)
    walk = _walk(place)
    kept = _kept(said, place, walk, book)
    if kept is not None:
        _refuse_forgotten(said, place, kept, book)
    book.turn(last_place(place.connection, walk))
    if work.written or work.code or kept:
        change = _undoing(place, work, walk, kept)
        filling.backwards(place.connection, _fill(said, place, work, walk, change), book)
    else:
        book.write(Position())
    if kept is not None:
        before.drop(place.connection, kept.name)
        book.keep("", 0)


def _walk(place: Place) -> Walk:
    keys = [place.connection.ops.quote_name(field.column) for field in place.model._meta.pk_fields]
    return walk_along(place.connection, place.table, keys)


def _kept(said: Said, place: Place, walk: Walk, book: Book) -> Kept | None:
    if not said.keep_before:
        return None
    subject = _subject(said, place)
    return Kept(
        name=before.name_beside(place.connection, place.table, book.id),
        table=place.table,
        keys=walk.keys,
        columns=_quoted(place, said.fields),
        watched=[] if subject is None else [subject.column.text.replace("%%", "%")],
    )


def _quoted(place: Place, fields: Sequence[str]) -> Sequence[str]:
    return [place.connection.ops.quote_name(field_of(place.model, name).column) for name in fields]


def _refuse_forgotten(said: Said, place: Place, kept: Kept, book: Book) -> None:
    """Make sure that there are values of before, where anything is left to be undone."""
    now = book.found()
    is_undone = now is not None and now.at is None and not now.finished
    if not is_undone and not before.is_there(place.connection, kept.name):
        raise StepFailed(
            f"{said.title}: what stood there before is gone; values are kept for "
            f"{counted(said.keep_before, 'day')}.",
            hint="Go forward, by a migration that writes what you want; a backup may have the values.",
        )


def _fill(said: Said, place: Place, work: Work, walk: Walk, change: Callable[[Sql], int]) -> Fill:
    most = said.batch_size
    return Fill(
        walk=walk,
        todo=work.todo,
        change=change,
        sizes=replace(filling.SIZES, first=min(filling.SIZES.first, most), most=most),
        subject=_subject(said, place),
        each=work.code is None,
        pause=said.pause,
        keeps_end=work.lacks is None and are_told(walk),
    )


def _writing(place: Place, work: Work, walk: Walk, kept: Kept | None) -> Callable[[Sql], int]:
    """Return what fills rows of a condition."""
    connection = place.connection
    if work.code is not None:
        unique = has_unique(connection, walk.table, _quoted(place, work.code.writes))
        return partial(work.code.change, walk, unique=unique, kept=kept)
    if kept is None:
        return lambda chosen: send(connection, work.update(walk.table, chosen))
    where = put("{} FROM accord_old WHERE {}", work.setting(walk.table), keeping.tied(kept, walk))
    unique = has_unique(connection, walk.table, kept.columns)
    return lambda chosen: keeping.write(connection, kept, walk, chosen, where, unique=unique)


def _undoing(place: Place, work: Work, walk: Walk, kept: Kept | None) -> Callable[[Sql], int]:
    """Return what undoes it in rows of a condition."""
    if kept is None:
        return _writing(place, work, walk, None)
    return partial(keeping.bring_back, place.connection, kept, walk)


def _subject(said: Said, place: Place) -> Subject | None:
    if said.subject is None:
        return None
    kind, name = said.subject
    column = field_of(place.model, name).column
    return Subject(kind, Sql.written(place.connection.ops.quote_name(column)))


def _book(said: Said, place: Place) -> Book:
    what = f"{said.title} ({place.model._meta.db_table})"
    return Book(place.connection.alias, place.app, what, said.identity(place.file))
