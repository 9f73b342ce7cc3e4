"""
The text of a PostgreSQL database: statements sorted by name, made by the server's own words.

It is for reading and comparing. Columns stand by name, since their order is the history of a table; each line
ends alike, so that a column more is a line more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

from accord.seam.describing import Description
from migrator.describing import questions

Rows = Sequence[Sequence[Any]]
Ask = Callable[[str], Rows]
"""Sends a question without values and gives the rows of its answer."""

_IDENTITIES = {"a": "ALWAYS", "d": "BY DEFAULT"}
_COMMANDS = {"*": "ALL", "r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE"}
_KINDS = {"r": "TABLE", "p": "TABLE", "f": "FOREIGN TABLE"}
_SWITCHES = {"D": "DISABLE TRIGGER", "R": "ENABLE REPLICA TRIGGER", "A": "ENABLE ALWAYS TRIGGER"}


def describe(ask: Ask) -> Description:
    """
    Describe what stands in the schemas of the search path, without what extensions made.

    Args:
        ask: Puts questions to the database.
    """
    blocks = (
        *sorted(chain(_enums(ask), _domains(ask), _sequences(ask))),
        *_tables(ask),
        *sorted(_views(ask)),
        *sorted(_functions(ask)),
    )
    ((place,),) = ask(questions.PLACE)
    return Description(suffix="sql", comment="-- ", text="\n\n".join(blocks) + "\n", place=str(place))


def _tables(ask: Ask) -> Iterator[str]:
    """Yield each table with what hangs on it."""
    columns = _grouped(sorted(ask(questions.COLUMNS), key=lambda row: (row[0], row[1])), _column)
    parts = [
        _grouped(sorted(map(_text, ask(questions.CONSTRAINTS))), _constraint),
        _grouped(sorted(ask(questions.INDEXES), key=_text), _index),
        _grouped(sorted(map(_text, ask(questions.TRIGGERS))), _trigger),
        _grouped(sorted(ask(questions.POLICIES), key=_text), _policy),
        _grouped(sorted(ask(questions.COMMENTS), key=_text), _comment),
    ]
    tables = {row[0]: _table(row, columns.get(row[0], ())) for row in ask(questions.TABLES)}
    # The indexes of a materialised view, and the triggers of a view, stand alone.
    names = sorted({*tables, *chain.from_iterable(parts)})
    for name in names:
        lines = chain.from_iterable(part.get(name, ()) for part in parts)
        yield "\n".join([*([tables[name]] if name in tables else []), *lines])


def _text(row: Sequence[Any]) -> tuple[str, ...]:
    return tuple(map(str, row))


def _grouped(rows: Rows, written: Callable[[Sequence[Any]], str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(written(row))
    return found


def _table(row: Sequence[Any], columns: Sequence[str]) -> str:
    name, kind, unlogged, partition_key, options, secured, forced = row
    what = f"CREATE {'UNLOGGED ' if unlogged else ''}{_KINDS[kind]} {name} ("
    end = "".join(
        [
            ")",
            f" PARTITION BY {partition_key}" if partition_key else "",
            f" WITH ({options})" if options else "",
            ";",
        ]
    )
    switches = [*(["ENABLE"] if secured else []), *(["FORCE"] if forced else [])]
    rules = [f"ALTER TABLE {name} {switch} ROW LEVEL SECURITY;" for switch in switches]
    return "\n".join([what, *columns, end, *rules])


def _column(row: Sequence[Any]) -> str:
    _, name, kind, collation, required, identity, generated, expression = row
    parts = [f"    {name} {kind}"]
    parts += [f"COLLATE {collation}"] if collation else []
    parts += ["NOT NULL"] if required else []
    if identity:
        parts.append(f"GENERATED {_IDENTITIES[identity]} AS IDENTITY")
    elif generated:
        parts.append(f"GENERATED ALWAYS AS ({expression}) {'STORED' if generated == 's' else 'VIRTUAL'}")
    elif expression is not None:
        parts.append(f"DEFAULT {expression}")
    return f"{' '.join(parts)},"


def _constraint(row: Sequence[Any]) -> str:
    table, name, definition = row
    return f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition};"


def _index(row: Sequence[Any]) -> str:
    _, definition, usable = row
    return f"{definition};" if usable else f"{definition}; -- not usable"


def _trigger(row: Sequence[Any]) -> str:
    table, name, definition, enabled = row
    switch = _SWITCHES.get(enabled)
    return f"{definition};" if switch is None else f"{definition};\nALTER TABLE {table} {switch} {name};"


def _policy(row: Sequence[Any]) -> str:
    table, name, permissive, command, roles, using, check = row
    parts = [f"CREATE POLICY {name} ON {table} AS {'PERMISSIVE' if permissive else 'RESTRICTIVE'}"]
    parts += [f"FOR {_COMMANDS[command]} TO {', '.join(sorted(roles))}"]
    parts += [f"USING ({using})"] if using else []
    parts += [f"WITH CHECK ({check})"] if check else []
    return f"{' '.join(parts)};"


def _comment(row: Sequence[Any]) -> str:
    table, kind, column, text = row
    what = f"COLUMN {table}.{column}" if column else f"{kind} {table}"
    return f"COMMENT ON {what} IS {text};"


def _views(ask: Ask) -> Iterator[str]:
    for name, stored, definition, options in ask(questions.VIEWS):
        what = f"CREATE {'MATERIALIZED ' if stored else ''}VIEW {name}"
        yield f"{what}{f' WITH ({options})' if options else ''} AS\n{definition.rstrip().rstrip(';')};"


def _sequences(ask: Ask) -> Iterator[str]:
    for name, kind, step in ask(questions.SEQUENCES):
        yield f"CREATE SEQUENCE {name} AS {kind} INCREMENT BY {step};"


def _enums(ask: Ask) -> Iterator[str]:
    for name, labels in ask(questions.ENUMS):
        yield f"CREATE TYPE {name} AS ENUM ({labels});"


def _domains(ask: Ask) -> Iterator[str]:
    for name, base, required, default, rules in ask(questions.DOMAINS):
        more = [f"DEFAULT {default}"] if default else []
        more += ["NOT NULL"] if required else []
        yield " ".join([f"CREATE DOMAIN {name} AS {base}", *more, *sorted(rules)]) + ";"


def _functions(ask: Ask) -> Iterator[str]:
    for definition, schema in ask(questions.FUNCTIONS):
        head, _, rest = definition.partition(f" {schema}" if schema else " ")
        yield f"{head} {rest}".rstrip() + ";"
