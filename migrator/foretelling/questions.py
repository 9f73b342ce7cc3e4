"""What to ask a live database before an act: queries that count what would refuse it. Pure."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from accord.seam.foretelling import SAMPLE_SIZE
from migrator.foretelling.acts import Act, Kind
from migrator.foretelling.locks import is_constant
from migrator.foretelling.tokens import Cursor, plain, tokens_of

MOST_PAIRS = 10_000
"""Up to how many pairs of rows that exclude each other are counted: there may be as many as rows squared."""
KEY = """
SELECT quote_ident(a.attname), a.attname FROM pg_index i
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
WHERE i.indrelid = to_regclass({table}) AND i.indisprimary AND i.indnkeyatts = 1
    AND a.atttypid IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype, 'uuid'::regtype)
"""
"""Takes a table; gives its primary key, quoted and as it is, where that is one number or UUID."""
_NOT_NULL = re.compile(r'\(*("[^"]+"|\w+)\s+IS\s+NOT\s+NULL\)*', re.IGNORECASE)
MEND = "Mend the data first, in a step before this one."


class Answer(enum.Enum):
    """How the answer to a question is read."""

    COUNT = "count"
    """The first value of the first row counts what refuses the act; what follows is a sample."""
    CAST = "cast"
    """The query fails where a value does not fit."""
    CUT = "cut"
    """As COUNT, and nothing refuses: values are cut, and lost."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """
    A question about the rows of a table.

    Attributes:
        sql: The query.
        says: What a count above none means; `{count}` stands for it.
        first: A quicker query, whose value is false where there is nothing to count.
        look: A query that shows people the rows.
        offending: Where a query finds those rows and nothing but them, from `FROM` on; empty where it can't.
        columns: Names of the columns that it reads, as the catalog has them.
        shown: Those of them whose values a sample shows.
        more: Other tables that it reads.
        what: What it is about, where that isn't what the act makes.
        answer: How the answer is read.
        hint: The next move.
    """

    sql: str
    says: str
    first: str = ""
    look: str = ""
    offending: str = ""
    columns: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    what: str = ""
    answer: Answer = Answer.COUNT
    hint: str = MEND


def question_of(act: Act, *, target_is_empty: bool = False) -> Question | None:
    """
    Return what to ask before an act; None where no row could refuse it.

    Args:
        act: What would be done.
        target_is_empty: The table that a foreign key points at is known to be empty then.
    """
    if act.kind is Kind.FOREIGN_KEY and target_is_empty:
        return _any_value(act)
    ask = _ASKS.get(act.kind)
    return ask(act) if ask is not None and act.valid else None


def names_in(text: str) -> tuple[str, ...]:
    """Return the names that an expression may mention, as the catalog has them; words of SQL among them."""
    tokens = tokens_of(text)
    follows = (*(token.text for token in tokens[1:]), "")
    return tuple(
        plain(token.text)
        for token, after in zip(tokens, follows, strict=False)
        if token.kind in ("quoted", "word") and after != "("
    )


def operand(element: str) -> str:
    """Return the expression of an element of an index, without operator class and order."""
    cursor = Cursor(element)
    head = cursor.peek()
    if head is None:
        return element
    if head.text == "(":
        taken = f"({cursor.group()})"
    else:
        taken = cursor.name()
        follows = cursor.peek()
        if follows is not None and follows.text == "(":
            taken += f"({cursor.group()})"
    return f"{taken} COLLATE {cursor.name()}" if cursor.takes("COLLATE") else taken


def _uniqueness(act: Act) -> Question | None:
    if act.kind is Kind.INDEX and not act.unique:
        return None
    keys = [operand(column) for column in act.columns]
    conditions = [f"({act.where})"] if act.where else []
    if act.nulls_distinct:
        conditions += [f"{key} IS NOT NULL" for key in keys]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    grouped = f"FROM {act.table}{where} GROUP BY {', '.join(keys)} HAVING count(*) > 1"
    texts = ", ".join(f"({key})::text" for key in keys)
    same = f"SELECT *, count(*) OVER (PARTITION BY {', '.join(keys)}) AS accord_same FROM {act.table}{where}"
    what = ", ".join(plain(key) if re.fullmatch(r'"[^"]*"|\w+', key) else key for key in keys)
    return Question(
        sql=f"SELECT count(*) OVER (), {texts} {grouped} LIMIT {SAMPLE_SIZE}",
        says=f"{{count}} of ({what}) are there more than once",
        first=_any_twice(act, keys, where, grouped),
        look=f"SELECT {', '.join(keys)}, count(*) {grouped}",
        offending=f"FROM ({same}) own WHERE accord_same > 1",
        columns=(*names_in(", ".join(act.columns)), *names_in(act.where)),
        shown=names_in(", ".join(keys)),
    )


def _any_twice(act: Act, keys: Sequence[str], where: str, grouped: str) -> str:
    """Ask whether anything is there twice; most often nothing is, and sorting one key tells that soonest."""
    if len(keys) > 1:
        return f"SELECT EXISTS (SELECT 1 {grouped})"
    twice = f"count({keys[0]}) > count(DISTINCT {keys[0]})"
    nulls = "" if act.nulls_distinct else f" OR count(*) > count({keys[0]}) + 1"
    return f"SELECT {twice}{nulls} FROM {act.table}{where}"


def _exclusions(act: Act) -> Question:
    """Ask for pairs of rows of which every operator holds; NULL keeps a row out, as it does there."""
    keys = [operand(column) for column in act.columns]
    made = ", ".join(f"({key}) AS k{number}" for number, key in enumerate(keys))
    where = f" WHERE {act.where}" if act.where else ""
    same = " AND ".join(
        f"one.k{number} {operator} other.k{number}" for number, operator in enumerate(act.operators)
    )
    texts = ", ".join(f"one.k{number}::text AS t{number}" for number in range(len(keys)))
    own = f"WITH own AS MATERIALIZED (SELECT row_number() OVER () AS n, {made} FROM {act.table}{where}) "
    pairs = f"FROM own one JOIN own other ON one.n < other.n AND {same}"
    return Question(
        sql=f"{own}SELECT count(*) OVER (), found.* FROM (SELECT {texts} {pairs} LIMIT {MOST_PAIRS}) found "
        f"LIMIT {SAMPLE_SIZE}",
        says=f"{{count}} pairs of rows exclude each other (counted up to {MOST_PAIRS:,})",
        look=f"{own}SELECT one.*, other.* {pairs}",
        columns=(*names_in(", ".join(act.columns)), *names_in(act.where)),
        shown=names_in(", ".join(keys)),
    )


def _nulls(act: Act) -> Question:
    (column,) = act.columns
    where = f"FROM {act.table} WHERE {column} IS NULL"
    return Question(
        sql=f"SELECT count(*) {where}",
        says="{count} hold NULL",
        look=f"SELECT * {where}",
        offending=where,
        columns=(plain(column),),
        hint="Give them a value first, in a step before this one, or leave the column nullable.",
    )


def _violators(act: Act) -> Question:
    where = f"FROM {act.table} WHERE NOT ({act.expression})"
    asked = Question(
        sql=f"SELECT count(*) {where}",
        says="{count} break the check",
        look=f"SELECT * {where}",
        offending=where,
        columns=names_in(act.expression),
    )
    column = refuses_null(act)
    if not column:
        return asked
    meant = replace(act, kind=Kind.NOT_NULL, columns=(column,))
    return replace(_nulls(meant), sql=asked.sql, look=asked.look, offending=where, what=meant.place)


def refuses_null(act: Act) -> str:
    """Return the column, as written, of which a check says that it takes no NULL, and nothing else."""
    found = _NOT_NULL.fullmatch(act.expression) if act.kind is Kind.CHECK else None
    return found[1] if found else ""


def _orphans(act: Act) -> Question | None:
    if len(act.columns) != len(act.target_columns):
        return None
    pairs = list(zip(act.columns, act.target_columns, strict=True))
    there = " AND ".join(f"own.{own} IS NOT NULL" for own, _ in pairs)
    same = " AND ".join(f"other.{other} = own.{own}" for own, other in pairs)
    where = (
        f"FROM {act.table} own WHERE {there} AND NOT EXISTS (SELECT 1 FROM {act.target} other WHERE {same})"
    )
    texts = ", ".join(f"own.{own}::text" for own, _ in pairs)
    return Question(
        sql=f"SELECT count(*) OVER (), {texts} {where} LIMIT {SAMPLE_SIZE}",
        says=f"{{count}} point at rows that {plain(act.target)} does not have",
        look=f"SELECT own.* {where}",
        offending=where,
        columns=tuple(plain(column) for column in act.columns),
        shown=tuple(plain(column) for column in act.columns),
        more=(act.target,),
    )


def _any_value(act: Act) -> Question:
    there = " AND ".join(f"{column} IS NOT NULL" for column in act.columns)
    return Question(
        sql=f"SELECT count(*) FROM {act.table} WHERE {there}",
        says=f"{{count}} would point at {plain(act.target)}, which is empty then",
        look=f"SELECT * FROM {act.table} WHERE {there}",
        columns=tuple(plain(column) for column in act.columns),
    )


_SIZED = re.compile(r"^(?:varchar|character varying|char|character|bpchar)\s*\(\s*(\d+)\s*\)$", re.IGNORECASE)
_CONVERTED = re.compile(r"::\s*(?:varchar|character varying|char|character)\s*\(", re.IGNORECASE)


def _fits(act: Act) -> Question:
    (column,) = act.columns
    sized = _SIZED.match(act.type.strip())
    if sized is not None:
        return _lengths(act, column, int(sized[1]))
    value = act.expression or column
    return Question(
        sql=f"SELECT count(value) FROM (SELECT ({value})::{act.type} AS value FROM {act.table} OFFSET 0) own",
        says=f"a value does not fit {act.type}",
        columns=(plain(column),),
        answer=Answer.CAST,
    )


def _lengths(act: Act, column: str, size: int) -> Question:
    # What an explicit conversion cuts is lost without a word; the type alone refuses all but spaces.
    cut = _CONVERTED.search(act.expression) is not None
    value = _CONVERTED.split(act.expression)[0] if cut else act.expression or column
    where = f"FROM {act.table} WHERE rtrim(substr(({value})::text, {size + 1}), ' ') <> ''"
    return Question(
        sql=f"SELECT count(*) {where}",
        says=f"{{count}} hold more than {size} characters" + (", and are cut" if cut else ""),
        look=f"SELECT * {where}",
        columns=(plain(column),),
        answer=Answer.CUT if cut else Answer.COUNT,
    )


def _standing_rows(act: Act) -> Question | None:
    """Ask about the rows that a new column has to find a value for."""
    if act.generated or act.type.lower().endswith("serial"):
        return None
    if act.not_null and not act.default:
        return Question(
            sql=f"SELECT count(*) FROM (SELECT 1 FROM {act.table} LIMIT 1) own",
            says="the table holds rows, and the new column takes no NULL and has no default",
            hint="Give the field a default, or let it be NULL at first and fill it.",
        )
    if act.unique and act.default and is_constant(act.default):
        return Question(
            sql=f"SELECT count(*) / 2 FROM (SELECT 1 FROM {act.table} LIMIT 2) own",
            says="the table holds several rows, and each would get the same value of a unique column",
            hint="Add the field nullable, fill it, and make it unique in a later step.",
        )
    return _unfit_default(act) if act.default and is_constant(act.default) else None


def _unfit_default(act: Act) -> Question | None:
    """Ask whether the value that every row of a new column gets breaks what is said of the column."""
    (column,) = act.columns
    given = f"FROM (SELECT ({act.default})::{act.type} AS {column} FROM {act.table} LIMIT 1) own"
    if act.target and len(act.target_columns) == 1:
        other = f"SELECT 1 FROM {act.target} other WHERE other.{act.target_columns[0]} = own.{column}"
        return Question(
            sql=f"SELECT count(*) {given} WHERE own.{column} IS NOT NULL AND NOT EXISTS ({other})",
            says=f"the table holds rows, and the default points at none that {plain(act.target)} has",
            more=(act.target,),
            hint="Give a default that is there, or let the field be NULL at first and fill it.",
        )
    if act.expression:
        return Question(
            sql=f"SELECT count(*) {given} WHERE NOT ({act.expression})",
            says="the table holds rows, and the default of the new column breaks its check",
            hint="Give a default that the check allows.",
        )
    return None


_ASKS: Mapping[Kind, Callable[[Act], Question | None]] = {
    Kind.UNIQUE: _uniqueness,
    Kind.INDEX: _uniqueness,
    Kind.EXCLUDE: _exclusions,
    Kind.NOT_NULL: _nulls,
    Kind.CHECK: _violators,
    Kind.FOREIGN_KEY: _orphans,
    Kind.TYPE: _fits,
    Kind.ADD_COLUMN: _standing_rows,
}
