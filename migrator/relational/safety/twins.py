"""The parts by which a column gets another width: a twin is filled beside writers, and takes its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.db import IntegrityError
from django.db.migrations.state import ProjectState

from accord.errors import StepFailed
from accord.locks.patience import Behind
from migrator.relational.refusals import SubstepKind
from migrator.relational.safety.catalogued import Catalogued, indexes_of
from migrator.relational.safety.exchange import exchanged, index_of_twin, kept_in_step
from migrator.relational.safety.parts import PAGES, Part, Reversed, pages
from migrator.relational.safety.widths import RANGES, Wide, index_name

Naming = Callable[[Any], Sequence[tuple[str, str, str]]]
"""Gives, by a schema editor, the names of keys to a column: table, column, name."""


_NONE: Any = None


class WidePart(Part):
    """
    One part of the change of a column's width; it needs no model, and may be about another app's table.

    Args:
        wide: The column.
    """

    sure = True

    def __init__(self, wide: Wide) -> None:
        super().__init__(wide.table, f"{wide.name} {wide.new}")
        self.wide = wide

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Do it, as Django calls that."""
        self.do(_NONE, schema_editor)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Undo it, as Django calls that."""
        self.undo(_NONE, schema_editor)

    def describe(self) -> str:
        """Say what it is, for people."""
        return f"{type(self).__qualname__} for {self.wide.table}.{self.wide.name}"


class AddTwin(WidePart):
    """
    Add the twin, empty, and a trigger: whoever writes the column writes both.

    Args:
        wide: The column.
        before: Columns of which nothing may be there that could not be carried over.
    """

    def __init__(self, wide: Wide, before: Sequence[Wide] = ()) -> None:
        super().__init__(wide)
        self._before = before

    def do(self, model: Any, editor: Any) -> None:
        """Look first, and leave nothing where something is in the way."""
        if not editor.collect_sql:
            for each in self._before:
                _refuse_hanging(each, editor)
                _refuse_beyond(each, editor)
        wide, quote = self.wide, editor.quote_name
        editor.execute(f"ALTER TABLE {quote(wide.table)} ADD COLUMN {quote(wide.twin)} {wide.new}")
        editor.execute(kept_in_step(wide, wide.new, editor))
        editor.execute(
            f"CREATE TRIGGER {quote('zz_' + wide.twin)} BEFORE INSERT OR UPDATE ON {quote(wide.table)} "
            f"FOR EACH ROW EXECUTE FUNCTION {quote(wide.twin)}()"
        )

    def undo(self, model: Any, editor: Any) -> None:
        """Take all of it away."""
        wide, quote = self.wide, editor.quote_name
        editor.execute(f"DROP TRIGGER {quote('zz_' + wide.twin)} ON {quote(wide.table)}")
        editor.execute(f"DROP FUNCTION {quote(wide.twin)}()")
        editor.execute(f"ALTER TABLE {quote(wide.table)} DROP COLUMN {quote(wide.twin)}")


def _refuse_hanging(wide: Wide, editor: Any) -> None:
    found = Catalogued(editor, wide).hanging()
    if found:
        raise StepFailed(
            f"{wide.table}.{wide.name} can't become {wide.new} beside those who use it: {', '.join(found)}.",
            hint="What is named would go with the old column, or act on each row that is written. Take it "
            "away, and make it again in a later migration; or have this step sent as it stands, when nobody "
            "needs the table (docs/howto/change-a-large-table.md).",
        )


def _refuse_beyond(wide: Wide, editor: Any) -> None:
    """Refuse now what the check would, which keeps the application from writing until somebody acts."""
    limits = RANGES[wide.new]
    found = 0 if limits[1] > RANGES[wide.old][1] else Catalogued(editor, wide).beyond(*limits)
    _refuse_found(found, wide)


def _refuse_found(found: int, wide: Wide) -> None:
    if found:
        raise IntegrityError(f"{found} values of {wide.table}.{wide.name} are out of range of {wide.new}.")


class FillTwin(WidePart):
    """Give the twin of rows that stand its value, some pages at a time; a kill leaves what is done."""

    atomic = False
    kind = SubstepKind.PLAIN
    goes_on = True

    def do(self, model: Any, editor: Any) -> None:
        """Fill; whoever writes meanwhile does so by the trigger."""
        wide, table = self.wide, editor.quote_name(self.wide.table)
        column, twin = editor.quote_name(wide.name), editor.quote_name(wide.twin)
        least, most = RANGES[wide.new]
        lacks = f"{twin} IS NULL AND {column} BETWEEN {least} AND {most}"
        fill = f"UPDATE {table} SET {twin} = {column} WHERE {lacks}"  # noqa: S608 - quoted
        if editor.collect_sql:
            editor.execute(fill)
            return
        for first in range(0, pages(editor.connection, table), PAGES):
            editor.execute(f"{fill} AND ctid >= '({first},0)' AND ctid < '({first + PAGES},0)'")

    def undo(self, model: Any, editor: Any) -> None:
        """Leave the values: the twin goes."""


class GuardTwin(WidePart):
    """Let no row be written of which the two differ."""

    def do(self, model: Any, editor: Any) -> None:
        """Add the check, without a look at the rows that stand."""
        wide, quote = self.wide, editor.quote_name
        column, twin = quote(wide.name), quote(wide.twin)
        # SET NOT NULL reads no row where a check says just that.
        both = f"{twin} IS NOT NULL AND {twin} = {column}"
        both = f"{twin} IS NOT DISTINCT FROM {column}" if wide.null else both
        editor.execute(
            f"ALTER TABLE {quote(wide.table)} ADD CONSTRAINT {quote(wide.guard)} CHECK ({both}) NOT VALID"
        )

    def undo(self, model: Any, editor: Any) -> None:
        """Drop it, if it is there; it goes as the two change places."""
        wide, quote = self.wide, editor.quote_name
        editor.execute(f"ALTER TABLE {quote(wide.table)} DROP CONSTRAINT IF EXISTS {quote(wide.guard)}")


class ProveTwin(WidePart):
    """Have the server look at each row, beside readers and writers: both columns hold the same."""

    def do(self, model: Any, editor: Any) -> None:
        """Validate the check; a run that turned back behind its end, and forward again, finds it gone."""
        wide, quote = self.wide, editor.quote_name
        if editor.collect_sql or Catalogued(editor, wide).is_validated(wide.guard) is not None:
            editor.execute(f"ALTER TABLE {quote(wide.table)} VALIDATE CONSTRAINT {quote(wide.guard)}")

    def undo(self, model: Any, editor: Any) -> None:
        """Leave it: a check can't be made unchecked."""


class TwinsPart(WidePart):
    """
    One part that is about all such columns of a table.

    Args:
        columns: The columns.
    """

    def __init__(self, columns: Sequence[Wide]) -> None:
        super().__init__(columns[0])
        self.columns = columns

    @property
    def back(self) -> Sequence[Wide]:
        """Return the columns on their way back."""
        return [wide.back for wide in self.columns]


class IndexTwins(TwinsPart):
    """Build the twins of the indexes that the column is part of, beside writers; done again, the rest."""

    atomic = False
    kind = SubstepKind.PLAIN
    goes_on = True
    behind = Behind.NOBODY

    def do(self, model: Any, editor: Any) -> None:
        """Build those that aren't there, and anew those that a kill left unusable."""
        catalogued = Catalogued(editor, self.wide)
        for index in indexes_of(editor, self.columns):
            own = index_name(self.wide.table, index.name)
            ready = None if editor.collect_sql else catalogued.is_ready(own)
            if ready is False:
                self._drop(index.name, editor)
            if not ready:
                statement = index_of_twin(index, self.columns, editor)
                editor.execute(statement.replace("INDEX", "INDEX CONCURRENTLY", 1))
        # Nobody has counted what a new column holds: queries would be planned without.
        twins = ", ".join(editor.quote_name(wide.twin) for wide in self.columns)
        editor.execute(f"ANALYZE {editor.quote_name(self.wide.table)} ({twins})")

    def undo(self, model: Any, editor: Any) -> None:
        """Drop them; once they took their places, there are none."""
        for index in indexes_of(editor, self.columns):
            self._drop(index.name, editor)

    def _drop(self, name: str, editor: Any) -> None:
        own = editor.quote_name(index_name(self.wide.table, name))
        editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {Catalogued(editor, self.wide).schema()}.{own}")


class ExchangeTwins(TwinsPart):
    """
    Have columns and twins change places: names, constraints, indexes, sequence and keys; one transaction.

    Args:
        columns: The columns.
        naming: Gives Django's names of the keys to them.
    """

    def __init__(self, columns: Sequence[Wide], naming: Naming) -> None:
        super().__init__(columns)
        self._naming = naming

    def do(self, model: Any, editor: Any) -> None:
        """Let the new width take the place."""
        self._exchange(self.columns, editor)

    def undo(self, model: Any, editor: Any) -> None:
        """Let the old one take it again."""
        self._exchange(self.back, editor)

    def _exchange(self, columns: Sequence[Wide], editor: Any) -> None:
        _lock(columns, editor)
        if not editor.collect_sql:
            for wide in columns:
                _ensure_proved(wide, editor)
            _ensure_indexes(columns, editor)
        for statement in list(exchanged(columns, editor, self._naming(editor))):
            editor.execute(statement)


def _lock(columns: Sequence[Wide], editor: Any) -> None:
    """
    Take the locks of all tables, those that refer to this one first, as a row that is inserted there does.

    Whoever takes them the other way round must not be ended for it: we give up before the server looks for
    deadlocks, and try again.
    """
    found = [key.table for wide in columns for key in Catalogued(editor, wide).references()]
    tables = [*dict.fromkeys([*found, editor.quote_name(columns[0].table)])]
    if not editor.collect_sql:
        with editor.connection.cursor() as cursor:
            cursor.execute(_BEFORE_DEADLOCKS, [len(tables) + 1])
    editor.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")


_BEFORE_DEADLOCKS = """
SELECT set_config('lock_timeout', least(nullif(own.ms, 0), most.ms / %s) || 'ms', true)
FROM (SELECT round(1000 * extract(epoch FROM current_setting('lock_timeout')::interval))::int) AS own(ms),
     (SELECT round(1000 * extract(epoch FROM current_setting('deadlock_timeout')::interval))::int) AS most(ms)
"""


def _ensure_proved(wide: Wide, editor: Any) -> None:
    """Look at the rows under the lock, where a run turned back just behind the end of the check."""
    if Catalogued(editor, wide).is_validated(wide.guard):
        return
    table, column, twin = (editor.quote_name(name) for name in (wide.table, wide.name, wide.twin))
    with editor.connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table} WHERE {twin} IS DISTINCT FROM {column}")  # noqa: S608 - quoted
        ((found,),) = cursor.fetchall()
    _refuse_found(found, wide)


def _ensure_indexes(columns: Sequence[Wide], editor: Any) -> None:
    """Build under the lock what such a run finds gone."""
    catalogued = Catalogued(editor, columns[0])
    for index in indexes_of(editor, columns):
        if not catalogued.is_ready(index_name(columns[0].table, index.name)):
            editor.execute(index_of_twin(index, columns, editor))


class ValidateKeys(WidePart):
    """Have the server look up the keys from and to the column, beside readers and writers."""

    atomic = False
    kind = SubstepKind.PLAIN
    goes_on = True

    def do(self, model: Any, editor: Any) -> None:
        """Validate each; of one that is valid, nothing is read."""
        for key in Catalogued(editor, self.wide).references():
            editor.execute(f"ALTER TABLE {key.table} VALIDATE CONSTRAINT {editor.quote_name(key.name)}")

    def undo(self, model: Any, editor: Any) -> None:
        """Leave them: a key can't be made unchecked."""


def twin_parts(columns: Sequence[Wide]) -> Iterator[Part]:
    """Yield the parts that give columns twins which could take their places at any moment."""
    yield from (AddTwin(wide, () if number else columns) for number, wide in enumerate(columns))
    for kind in (FillTwin, GuardTwin, ProveTwin):
        yield from (kind(wide) for wide in columns)
    yield from (IndexTwins(some) for some in _by_table(columns))


def exchange_parts(columns: Sequence[Wide], naming: Naming) -> Iterator[Part]:
    """
    Yield the parts by which the twins of columns take their places.

    Args:
        columns: A key, and those that refer to it.
        naming: Gives Django's names of the keys to it.
    """
    # On the way back, too, the keys are looked up behind the exchange.
    yield from (Reversed(ValidateKeys(wide.back)) for wide in columns)
    yield from (ExchangeTwins(some, naming) for some in _by_table(columns))
    yield from (ValidateKeys(wide) for wide in columns)


def _by_table(columns: Sequence[Wide]) -> Sequence[Sequence[Wide]]:
    tables = dict.fromkeys(wide.table for wide in columns)
    return [[wide for wide in columns if wide.table == table] for table in tables]
