"""Statements are read as acts; what isn't understood is never taken for harmless."""

from __future__ import annotations

import pytest

from migrator.foretelling.acts import Kind
from migrator.foretelling.ddl import read
from migrator.foretelling.locks import burden_of, is_constant, rewrites
from migrator.foretelling.questions import operand, question_of


@pytest.mark.parametrize(
    ("sql", "kinds"),
    [
        ('CREATE TABLE "a;b" ("x" varchar(3) DEFAULT \'a, (b\' NOT NULL, CONSTRAINT "c" CHECK ("x" > 0))',
         [Kind.CREATE_TABLE, Kind.ADD_COLUMN]),
        ("CREATE TABLE a AS SELECT 1", [Kind.UNREAD]),
        ("CREATE TABLE a (b int) AS SELECT 1", [Kind.CREATE_TABLE, Kind.ADD_COLUMN, Kind.UNREAD]),
        ("ALTER TABLE a ALTER COLUMN b TYPE numeric(5, 2) USING (b)::numeric(5, 2), ALTER b SET NOT NULL",
         [Kind.TYPE, Kind.NOT_NULL]),
        ("ALTER TABLE a RENAME b TO c", [Kind.RENAME]),
        ("ALTER TABLE a ADD UNIQUE (b); DELETE FROM a", [Kind.UNIQUE, Kind.ROWS]),
        ("ALTER TABLE a ATTACH PARTITION b DEFAULT", [Kind.UNREAD]),
        ("ALTER TABLE a SET SCHEMA other", [Kind.UNREAD]),
        ("SET search_path TO other", [Kind.UNREAD]),
        ("DO $$ BEGIN DELETE FROM a; END $$", [Kind.UNREAD]),
        ("WITH x AS (DELETE FROM a RETURNING *) SELECT 1", [Kind.UNREAD]),
        ("SELECT pg_catalog.setval('s', 1)", [Kind.UNREAD]),
        ("ALTER TABLE a ADD CONSTRAINT", [Kind.UNREAD]),
        ("COMMENT ON TABLE a IS 'x; y'", [Kind.HARMLESS]),
        ("-- only words\n", []),
        ("DROP TABLE IF EXISTS a, b CASCADE", [Kind.DROP_TABLE, Kind.DROP_TABLE]),
    ],
)  # fmt: skip
def test_statement_is_read(sql: str, kinds: list[Kind]) -> None:
    """Quotes, parentheses and semicolons stay whole; the unknown is told apart."""
    assert [act.kind for act in read(sql)] == kinds


def test_unique_index_becomes_the_query_that_finds_duplicates() -> None:
    """Condition, expression and NULLs are those of the index; operator class and order are left out."""
    (act,) = read('CREATE UNIQUE INDEX i ON "t" (lower("a") text_pattern_ops DESC, "b") WHERE "c" > 3')
    question = question_of(act)

    assert question is not None
    assert question.sql == (
        'SELECT count(*) OVER (), (lower("a"))::text, ("b")::text FROM "t" '
        'WHERE ("c" > 3) AND lower("a") IS NOT NULL AND "b" IS NOT NULL '
        'GROUP BY lower("a"), "b" HAVING count(*) > 1 LIMIT 3'
    )
    assert {"a", "b", "c"} <= set(question.columns)


@pytest.mark.parametrize(
    ("index", "asks"),
    [
        ("(a)", "SELECT count(a) > count(DISTINCT a) FROM t WHERE a IS NOT NULL"),
        ("(a) NULLS NOT DISTINCT", "SELECT count(a) > count(DISTINCT a) OR count(*) > count(a) + 1 FROM t"),
        (
            '(a COLLATE "C") WHERE b',
            (
                'SELECT count(a COLLATE "C") > count(DISTINCT a COLLATE "C") FROM t '
                'WHERE (b) AND a COLLATE "C" IS NOT NULL'
            ),
        ),
        (
            "(a, b)",
            (
                "SELECT EXISTS (SELECT 1 FROM t WHERE a IS NOT NULL AND b IS NOT NULL GROUP BY a, b "
                "HAVING count(*) > 1)"
            ),
        ),
    ],
)
def test_whether_anything_is_there_twice_is_asked_first(index: str, asks: str) -> None:
    """Sorting one key takes a fraction of what counting each value does; mostly there is nothing to name."""
    (act,) = read(f"CREATE UNIQUE INDEX i ON t {index}")
    question = question_of(act)

    assert question is not None
    assert question.first == asks


@pytest.mark.parametrize(
    ("element", "expression"),
    [("x", "x"), ('"x" COLLATE "C" DESC', '"x" COLLATE "C"'), ("((a + b)) int4_ops", "((a + b))")],
)
def test_element_of_an_index_gives_its_expression(element: str, expression: str) -> None:
    """What says how to order is no part of what has to be unique."""
    assert operand(element) == expression


@pytest.mark.parametrize(
    ("old", "new", "anew"),
    [
        ("character varying(10)", "varchar(20)", False), ("varchar(20)", "varchar(10)", True),
        ("varchar(20)", "text", False), ("text", "varchar(10)", True),
        ("numeric(5,2)", "numeric(8, 2)", False),
        ("numeric(5,2)", "numeric(8, 3)", True), ("integer", "bigint", True), ("", "text", True),
    ],
)  # fmt: skip
def test_change_of_type_writes_anew_unless_it_is_known_not_to(old: str, new: str, anew: bool) -> None:
    """PostgreSQL leaves the rows where the old bytes serve the new type."""
    assert rewrites(old, new) is anew


@pytest.mark.parametrize(
    ("words", "anew"),
    [("(a * 2) STORED", True), ("(a * 2) VIRTUAL", False), ("(a * 2)", False), ("AS IDENTITY", True)],
)
def test_computed_column_writes_anew_where_it_is_stored(words: str, anew: bool) -> None:
    """PostgreSQL 18 computes as it reads, unless a statement says otherwise; older servers store."""
    (act,) = read(f"ALTER TABLE t ADD COLUMN b int GENERATED ALWAYS {words}")

    assert burden_of(act).rewrites is anew


@pytest.mark.parametrize(
    ("default", "constant"),
    [("3", True), ("'a'::text", True), ("now()", True), ("CURRENT_TIMESTAMP", True),
     ("(STATEMENT_TIMESTAMP())", True),
     ("gen_random_uuid()", False), ("clock_timestamp()", False), ("(random() * 3)", False)],
)  # fmt: skip
def test_default_that_changes_by_row_writes_anew(default: str, constant: bool) -> None:
    """What gives one value a statement is kept beside the table."""
    (act,) = read(f"ALTER TABLE a ADD COLUMN b x DEFAULT {default}")

    assert is_constant(default) is constant
    assert burden_of(act).rewrites is not constant
