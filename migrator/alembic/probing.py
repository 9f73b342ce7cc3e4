"""Whether a database holds what revisions would have left: for adopting one that exists."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from alembic.runtime.migration import MigrationContext

from accord.errors import AccordError
from accord.seam.differences import Difference, DifferenceKind
from accord.seam.types import Direction, Presence, Probe, Step
from migrator.alembic.effects import ColumnEffect, Effects, Name, Recorder
from migrator.alembic.environment import HistoryEnvironment
from migrator.alembic.history import History
from migrator.alembic.ledger import Ask, quoted
from migrator.alembic.offline import Rendering, indexes_by_sql, walk

_COLUMNS = """
SELECT CASE WHEN n.nspname = current_schema() THEN '' ELSE n.nspname END, c.relname, a.attname,
       format_type(a.atttypid, NULL), NOT a.attnotnull
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""
_INDEXES = """
SELECT CASE WHEN n.nspname = current_schema() THEN '' ELSE n.nspname END, c.relname, i.indisvalid
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_'
"""
_CONSTRAINTS = """
SELECT CASE WHEN n.nspname = current_schema() THEN '' ELSE n.nspname END, c.relname, k.conname
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_'
"""


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """
    What a database holds.

    Attributes:
        columns: Type and nullability by column, by table.
        indexes: Whether each index is valid, by name.
        constraints: Table and name of each constraint.
        types: The server's own spelling of the types that were asked for.
    """

    columns: Mapping[Name, Mapping[str, tuple[str, bool]]]
    indexes: Mapping[Name, bool]
    constraints: frozenset[tuple[str, str, str]]
    types: Mapping[str, str | None]


@dataclass
class _Verdict:
    """What was found of one step so far."""

    found: int = 0
    stands: bool = False
    missing: list[Difference] = field(default_factory=list)
    different: list[Difference] = field(default_factory=list)

    def count(self, what: str, *, there: bool) -> None:
        """Note whether something that should be there is."""
        self.stands = self.stands or there
        if there:
            self.found += 1
        else:
            self.missing.append(_difference(DifferenceKind.MISSING, f"There is no {what}."))

    def look_for_rest(self, what: str, *, there: bool) -> None:
        """Note whether something that should be gone is."""
        self.stands = self.stands or there
        if there:
            self.missing.append(_difference(DifferenceKind.LEFT, f"The {what} is still there."))
        else:
            self.found += 1


def probe(
    environment: HistoryEnvironment,
    history: History,
    steps: Sequence[Step],
    ask_once: Callable[[Callable[[Ask], Catalog]], Catalog],
) -> Iterator[Probe]:
    """
    Look for the effects of steps as they should stand after all of them.

    Args:
        environment: The history's environment.
        history: All revisions.
        steps: The steps, in their order.
        ask_once: Puts a question to the database.
    """
    effects = expected(environment, history, steps)
    wanted = sorted({c.type for t in effects.tables.values() for c in t.columns.values() if c.type})
    catalog = ask_once(lambda ask: read_catalog(ask, wanted))
    verdicts = compare(effects, catalog)
    for step in steps:
        yield judge(step, effects, verdicts[step.key.name])


def indexes_of(environment: HistoryEnvironment, history: History, step: Step) -> Sequence[str]:
    """Name the indexes that a revision makes, as SQL writes them."""
    by_operations = [quoted(*name) for name in expected(environment, history, [step]).indexes]
    return [*by_operations, *indexes_by_sql(environment, history, step)]


def expected(environment: HistoryEnvironment, history: History, steps: Sequence[Step]) -> Effects:
    """Run the steps offline, one after the other, and keep what they would leave."""
    effects = Effects()
    recorder = Recorder(effects)

    def listen(context: MigrationContext) -> None:
        context.impl._exec = recorder.hear  # type: ignore[method-assign]  # noqa: SLF001 - every operation ends there

    for step, heads in walk(history, steps, Direction.APPLY):
        name = step.key.name

        def started(on: bool, name: str = name) -> None:  # noqa: FBT001 - a switch
            recorder.step = name if on else ""

        visitor = Rendering(
            revision=name,
            direction=Direction.APPLY,
            directory=environment.directory(history),
            tune=listen,
            started=started,
        )
        try:
            environment.render(visitor, heads, what=str(step.key))
        except AccordError as exc:
            recorder.step = ""
            effects.unreadable[name] = exc.message
    return effects


def read_catalog(ask: Ask, wanted: Sequence[str]) -> Catalog:
    """
    Read tables, columns, indexes and constraints.

    Args:
        ask: Sends a statement.
        wanted: Types as SQLAlchemy spells them, to be translated.
    """
    columns: dict[Name, dict[str, tuple[str, bool]]] = defaultdict(dict)
    for schema, table, column, kind, nullable in ask(_COLUMNS, {}):
        known = columns[schema, table]
        if column is not None:
            known[column] = (kind, nullable)
    return Catalog(
        columns=columns,
        indexes={(schema, name): valid for schema, name, valid in ask(_INDEXES, {})},
        constraints=frozenset((schema, table, name) for schema, table, name in ask(_CONSTRAINTS, {})),
        types={
            kind: ask("SELECT format_type(to_regtype(CAST(:kind AS text)), NULL)", {"kind": kind})[0][0]
            for kind in wanted
        },
    )


def compare(effects: Effects, catalog: Catalog) -> Mapping[str, _Verdict]:
    """Hold what is expected against what is there, by step."""
    verdicts: dict[str, _Verdict] = defaultdict(_Verdict)
    for name, table in effects.tables.items():
        if table.step:
            verdicts[table.step].count(f"table {_dotted(name)}", there=name in catalog.columns)
        for column, effect in table.columns.items():
            _compare_column(verdicts, (*name, column), effect, catalog)
    for index, made in effects.indexes.items():
        verdicts[made.step].count(f"valid index {_dotted(index)}", there=catalog.indexes.get(index, False))
    for key, made in effects.constraints.items():
        verdicts[made.step].count(
            f"constraint {key[2]} of {_dotted(key[:2])}", there=key in catalog.constraints
        )
    for gone, step in effects.gone.items():
        _compare_absence(verdicts[step], gone, catalog)
    return verdicts


def _compare_column(
    verdicts: Mapping[str, _Verdict], name: tuple[str, str, str], effect: ColumnEffect, catalog: Catalog
) -> None:
    live = catalog.columns.get(name[:2], {}).get(name[2])
    verdicts[effect.step or effect.defined_by].count(f"column {_dotted(name)}", there=live is not None)
    if live is None:
        return
    kind, nullable = live
    verdicts[effect.defined_by].stands = True
    wanted = catalog.types.get(effect.type or "")
    lines = []
    if wanted and wanted != kind:
        lines.append(f"The column {_dotted(name)} is of type {kind}, not {wanted}.")
    if effect.nullable is not None and effect.nullable is not nullable:
        lines.append(f"The column {_dotted(name)} {'takes' if nullable else 'refuses'} NULL.")
    different = verdicts[effect.defined_by].different
    different += [_difference(DifferenceKind.DIFFERENT, line) for line in lines]


def _compare_absence(verdict: _Verdict, name: tuple[str, ...], catalog: Catalog) -> None:
    schema, table, *column = name
    live = catalog.columns.get((schema, table))
    if not column:
        verdict.look_for_rest(f"table {_dotted(name)}", there=live is not None)
    elif live is not None:
        verdict.look_for_rest(f"column {_dotted(name)}", there=column[0] in live)


def judge(step: Step, effects: Effects, verdict: _Verdict) -> Probe:
    """Sum up what was found of a step."""
    name = step.key.name
    unproved = _unproved(name, effects)
    findings = (*verdict.missing, *verdict.different)
    presence = _presence(name, effects, verdict)
    return Probe(key=step.key, presence=presence, findings=findings, unproved=unproved, stands=verdict.stands)


def _difference(kind: DifferenceKind, text: str) -> Difference:
    return Difference(kind=kind, text=text)


def _unproved(name: str, effects: Effects) -> tuple[str, ...]:
    """Say what of a step leaves nothing that could be looked up."""
    if name in effects.unreadable:
        return (f"Its operations can't be told without running it: {effects.unreadable[name]}",)
    if untold := effects.untold.get(name):
        return (f"Whether {untold} of its statements ran can't be looked up: data, or SQL of its own.",)
    return ()


def _presence(name: str, effects: Effects, verdict: _Verdict) -> Presence:
    if verdict.different:
        return Presence.CONFLICTING
    if verdict.missing:
        return Presence.PARTIAL if verdict.found else Presence.ABSENT
    untold = name in effects.unreadable or name in effects.untold
    if untold and not verdict.found:
        return Presence.UNKNOWN
    # Nothing left to be seen (a merge, or all undone by a later step) is as it should be.
    return Presence.DONE


def _dotted(name: Sequence[str]) -> str:
    return ".".join(part for part in name if part)
