"""Foretelling steps from the statements that they would send: reads, asks and judges, step by step."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from accord.personal import is_open
from accord.seam.foretelling import LOOK_SECONDS, SAMPLE_SIZE, Foretold, Outlook, masked
from accord.seam.types import Statement, Step, StepKey
from accord.words import counted
from migrator.foretelling.acts import Act, Kind
from migrator.foretelling.apart import Apart, is_sure
from migrator.foretelling.ddl import read
from migrator.foretelling.horizon import Horizon
from migrator.foretelling.locks import Burden, LockMode, burden_of
from migrator.foretelling.looks import Asks, Budgeted, Relations, Size, Unasked
from migrator.foretelling.needs import LONGEST, is_cut, needs_of, text
from migrator.foretelling.questions import KEY, Answer, Question, question_of
from migrator.foretelling.recipes import recipe_of
from migrator.foretelling.tokens import plain

LARGE = 100 * 1024 * 1024
"""Bytes from which on a table that is read or written anew under a lock is worth a warning."""

Rendered = Iterable[tuple[Step, Sequence[Statement]]]
_ADDED = (Kind.INDEX, Kind.UNIQUE, Kind.CHECK, Kind.FOREIGN_KEY, Kind.EXCLUDE)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where something is foretold: a step, an act of it, and the latest code that runs before."""

    key: StepKey
    act: Act
    code: StepKey | None

    def says(self, outlook: Outlook, words: str, hint: str = "", what: str = "") -> Foretold:
        """Foretell something about the act."""
        return Foretold(key=self.key, outlook=outlook, what=what or self.act.place, text=words, hint=hint)

    def refuses(self, words: str, hint: str) -> Foretold:
        """Foretell a refusal; after code that runs before, nobody can."""
        if self.code is None:
            return self.says(Outlook.REFUSED, f"{words}.", hint)
        until = "this step" if self.code == self.key else str(self.code)
        return self.says(
            Outlook.UNKNOWN, f"{words} as things stand; code of {until} runs before and may change it.", hint
        )

    def unknown(self, words: str) -> Foretold:
        """Say that nobody can tell."""
        return self.says(Outlook.UNKNOWN, words)


class Foreteller:
    """
    Foretells the steps of one database.

    Args:
        ask: The way to it.
        begun: Steps that a run began and did not end: what stands of them is not looked at.
        spares: Tells of a step whether it may not keep everybody from a large table.
    """

    def __init__(
        self,
        ask: Asks,
        begun: Collection[StepKey] = (),
        spares: Callable[[StepKey], bool] = lambda _: False,
    ) -> None:
        self._server = Budgeted(ask)
        self._begun = begun
        self._spares = spares
        self._horizon = Horizon()
        self._relations = Relations(self._server.rows)
        self._burdens: dict[str, Burden] = {}
        self._taken: dict[str, dict[int, LockMode]] = {}

    def foretell(self, rendered: Rendered) -> Iterator[Foretold]:
        """
        Foretell steps.

        Args:
            rendered: Steps with what they would send, in their order.
        """
        for step, statements in rendered:
            if step.key in self._begun:
                yield _whole(step.key, "It was begun and not ended; what stands of it is not looked at.")
                self._horizon.note_code(step.key)
            else:
                yield from self._of_step(step.key, statements)

    def _of_step(self, key: StepKey, statements: Sequence[Statement]) -> Iterator[Foretold]:
        self._burdens, self._taken = {}, {}
        for number, statement in enumerate(statements, start=1):
            if statement.opaque:
                yield _whole(key, statement.text)
                self._horizon.note_code(key)
                continue
            for act in read(statement.text):
                if act.kind is Kind.UNREAD and not is_sure(statement):
                    yield _whole(key, f"Not foretold: {_beginning(statement.text)}")
                self._bear(act, number, apart=isinstance(statement, Apart))
                if not is_sure(statement):
                    place = Place(key=key, act=act, code=self._horizon.code)
                    yield from (*self._of_act(place), *self._of_work(place))
                    self._horizon.note(key, act)
        yield from self._sizes(key)

    # --- one act -------------------------------------------------------------------------------------

    def _of_act(self, place: Place) -> Iterator[Foretold]:
        try:
            yield from self._of_names(place)
            yield from self._of_needs(place)
        except Unasked as exc:
            yield place.unknown(_unasked(exc))
        act = place.act
        meant = act
        if act.kind is Kind.VALIDATE and not self._is_empty(act.table):
            try:
                meant = self._validated(act)
            except Unasked as exc:
                yield place.unknown(_unasked(exc))
            if meant.kind is Kind.UNREAD:
                yield place.unknown("What the constraint demands could not be read.")
        question = question_of(meant, target_is_empty=bool(act.target) and self._horizon.is_fresh(act.target))
        if question is not None and not self._is_empty(act.table) and not self._horizon.is_settled(act):
            yield from self._answered(place, question)

    def _validated(self, act: Act) -> Act:
        """Return the constraint that is validated, as if it were added with a look at what stands."""
        pending = self._horizon.unvalidated.get((plain(act.table), plain(act.name)))
        if pending is not None:
            return replace(pending, valid=True)
        rows = self._server.rows(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint "  # noqa: S608 - quoted
            f"WHERE conrelid = to_regclass({text(act.table)}) AND conname = {text(plain(act.name))}"
        )
        found = read(f"ALTER TABLE {act.table} ADD CONSTRAINT {act.name} {rows[0][0]}") if rows else (act,)
        return replace(found[0], valid=True)

    def _is_empty(self, table: str) -> bool:
        """Return whether a table surely holds nothing when the act comes."""
        size = self._relations.tables.get(plain(table))
        untouched = self._horizon.code is None and plain(table) not in self._horizon.made
        empty = size is not None and size.is_empty and untouched and not self._horizon.writes(table)
        return empty or self._horizon.is_fresh(table)

    def _of_names(self, place: Place) -> Iterator[Foretold]:
        act, made = place.act, self._horizon.made
        for name in {act.name, act.table} - {""}:
            if is_cut(name):
                words = f"The name is longer than {LONGEST} bytes: the server cuts it."
                yield place.says(Outlook.WARNING, words, "Give it a shorter name.", what=plain(name))
        standing = self._relations.names - self._horizon.gone
        makes = act.kind is Kind.CREATE_TABLE or (act.kind in _ADDED and not act.concurrently)
        named = act.made if act.kind in (Kind.CREATE_TABLE, Kind.INDEX, Kind.UNIQUE) else ""
        taken = named in self._relations.taken and named not in self._horizon.gone
        sure = act.kind is Kind.CREATE_TABLE or not self._horizon.takes_along
        if makes and taken and sure and not act.lenient:
            yield place.refuses(
                f"{named} is there already", "If it is what the step describes, adopt it with --baseline."
            )
        needs_table = act.table and act.kind not in (Kind.CREATE_TABLE, Kind.UNREAD) and not act.lenient
        if needs_table and plain(act.table) not in standing and plain(act.table) not in made:
            yield from self._of_missing_table(place)

    def _of_missing_table(self, place: Place) -> Iterator[Foretold]:
        table = plain(place.act.table)
        if table in self._horizon.gone or self._server.holds(
            f"SELECT to_regclass({text(place.act.table)}) IS NOT NULL"
        ):
            return
        yield place.refuses(
            f"The table {table} is not there",
            "The history says that it was made: look what became of it, and whether search_path leads to it.",
        )

    def _of_needs(self, place: Place) -> Iterator[Foretold]:
        act = place.act
        for need in needs_of(act):
            if need.column and self._is_new(act.table, need.column):
                continue
            if not self._server.holds(need.sql):
                later = self._horizon.defined
                if later is not None and act.kind is not Kind.EXTENSION:
                    yield place.unknown(f"As things stand, {need.text}; {later} may bring it.")
                else:
                    yield place.says(Outlook.REFUSED, f"{need.text[0].upper()}{need.text[1:]}.", need.hint)
        if act.kind is Kind.ADD_COLUMN and act.valid and not act.lenient:
            yield from self._of_twice(place)

    def _is_new(self, table: str, column: str) -> bool:
        """Return whether a pending step makes or changes a column, so that the catalog knows another."""
        return self._horizon.is_changed(table, column) or plain(table) in self._horizon.made

    def _of_twice(self, place: Place) -> Iterator[Foretold]:
        act = place.act
        if self._is_new(act.table, act.columns[0]):
            return
        column = text(plain(act.columns[0]))
        if self._server.holds(
            f"SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass({text(act.table)}) "  # noqa: S608 - quoted
            f"AND attname = {column} AND NOT attisdropped"
        ):
            yield place.refuses(
                "The column is there already",
                "If it is what the step describes, adopt it with --baseline; else drop or rename it.",
            )

    # --- questions about rows --------------------------------------------------------------------------

    def _answered(self, place: Place, question: Question) -> Iterator[Foretold]:
        until = self._horizon.hides(place.act, question)
        if until is not None:
            yield place.unknown(f"Unknown until {_named(until, place.key)} ran.")
            return
        try:
            none = bool(question.first) and not self._server.rows(question.first)[0][0]
            rows = () if none else self._server.rows(question.sql)
        except Unasked as exc:
            if exc.is_about_data and question.answer is Answer.CAST:
                yield place.refuses(question.says[0].upper() + question.says[1:], question.hint)
            else:
                yield place.unknown(_unasked(exc))
            return
        found = int(rows[0][0]) if rows else 0
        if found and question.answer is not Answer.CAST:
            yield self._judged(place, question, found, rows)

    def _judged(
        self, place: Place, question: Question, found: int, rows: Sequence[Sequence[object]]
    ) -> Foretold:
        words = question.says.format(count=f"{found:,}")
        hint = f"{question.hint} See them: {question.look}" if question.look else question.hint
        told = place.refuses(words[0].upper() + words[1:], hint)
        told = replace(told, what=question.what or told.what)
        if question.answer is Answer.CUT:
            told = replace(told, outlook=Outlook.WARNING)
        open_ = is_open(place.key.store, plain(place.act.table), question.shown)
        keys = [", ".join(map(str, row[1:])) for row in rows if len(row) > 1]
        sample = masked(keys, open_=open_)
        return replace(told, rows=found, sample=sample, keys=self._keys(place.act.table, question))

    def _keys(self, table: str, question: Question) -> tuple[str, ...]:
        """Return the keys of rows that refuse an act: numbers and UUIDs, which say nothing of anybody."""
        if not question.offending:
            return ()
        try:
            named = self._server.rows(KEY.format(table=text(table)))
            if not named:
                return ()
            ((quoted, name),) = named
            rows = self._server.rows(f"SELECT {quoted}::text {question.offending} LIMIT {SAMPLE_SIZE}")
        except Unasked:
            return ()
        return tuple(f"{name} {key}" for (key,) in rows)

    def _of_work(self, place: Place) -> Iterator[Foretold]:
        """Foretell that what would keep everybody from a large table isn't sent, and what to do instead."""
        table = plain(place.act.table)
        size = self._relations.tables.get(table)
        if size is None or size.bytes < LARGE or table in self._horizon.made or not self._spares(place.key):
            return
        recipe = recipe_of(place.act, self._old_type(place.act))
        if recipe is not None:
            as_ever = f"To send it as it stands all the same: --unsafe-ddl {place.key} --reason TEXT."
            yield place.says(Outlook.REFUSED, recipe.why, f"{recipe.instead} {as_ever}")

    # --- locks and sizes --------------------------------------------------------------------------------

    def _bear(self, act: Act, number: int, *, apart: bool = False) -> None:
        """Add what an act of a statement costs the tables that it locks."""
        for table in (act.table, act.target if act.kind in (Kind.FOREIGN_KEY, Kind.ADD_COLUMN) else ""):
            name = plain(table) if table else ""
            if name in self._relations.tables and name not in self._horizon.made:
                burden = burden_of(act, self._old_type(act)) if table == act.table else _REFERRED
                known = self._burdens.get(name, Burden())
                self._burdens[name] = known.apart(burden, act) if apart else known.beside(burden)
                taken = self._taken.setdefault(name, {})
                taken[number] = max(taken.get(number, LockMode.NONE), burden.mode)

    def _old_type(self, act: Act) -> str:
        if act.kind is not Kind.TYPE:
            return ""
        try:
            rows = self._server.rows(
                "SELECT format_type(atttypid, atttypmod) FROM pg_attribute "  # noqa: S608 - quoted
                f"WHERE attrelid = to_regclass({text(act.table)}) AND attname = {text(plain(act.columns[0]))}"
            )
        except Unasked:
            return ""
        return str(rows[0][0]) if rows else ""

    def _sizes(self, key: StepKey) -> Iterator[Foretold]:
        for name, burden in self._burdens.items():
            if burden.mode:
                locks = [f"{number}: {mode.words}" for number, mode in self._taken[name].items() if mode]
                told = _sized(key, name, burden, self._relations.tables[name])
                yield replace(told, by_statement=tuple(locks) if len(locks) > 1 else ())


_SPREAD = "Run it when nobody needs the table, or spread it over several steps."
_ROOM = (
    "It needs room on the server's disk, up to as much again as the table takes; how much is free there SQL "
    "can't tell."
)
_REFERRED = Burden(mode=LockMode.SHARE_ROW_EXCLUSIVE)


def _sized(key: StepKey, table: str, burden: Burden, size: Size) -> Foretold:
    works = burden.rewrites or burden.scans
    heavy = works and burden.mode >= LockMode.SHARE and size.bytes >= LARGE
    hints = [_SPREAD] if heavy else []
    hints += [_ROOM] if size.bytes >= LARGE and (burden.rewrites or burden.builds) else []
    return Foretold(
        key=key,
        outlook=Outlook.WARNING if heavy else Outlook.NOTE,
        what=table,
        text=f"{burden.words}.",
        hint=" ".join(hints),
        rows=None if burden.drops else 0 if size.is_empty else size.rows,
        bytes=size.bytes,
        lock=burden.mode.words,
    )


def _whole(key: StepKey, words: str) -> Foretold:
    return Foretold(key=key, outlook=Outlook.UNKNOWN, what=key.name, text=words)


def _named(until: StepKey, key: StepKey) -> str:
    return "an earlier part of this step" if until == key else str(until)


def _beginning(sql: str) -> str:
    """Return the first words of a statement; what follows may be data."""
    return " ".join(sql.split()[:2]) + " …"


def _unasked(exc: Unasked) -> str:
    if exc.is_slow:
        return (
            f"Unknown: looking takes longer than {counted(int(LOOK_SECONDS), 'second')}, or waits for a lock."
        )
    if exc.is_forbidden:
        return "Unknown: this account may not look, or by row-level security not at every row."
    return f"Unknown: the look failed (code {exc.code})."
