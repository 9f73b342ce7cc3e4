"""What lint finds in SQL that persons wrote, read by PostgreSQL's own parser."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from migrator.foretelling.acts import Kind
from migrator.lint.reading.written import Written, read
from migrator.lint.subject import Spot, Unseen
from tests.fix_lint import Lint, Workbench

ROOM = "shop_room"
FOUND = {
    "CREATE INDEX n ON shop_room (name)": "index-not-concurrent",
    "CREATE UNIQUE INDEX n ON shop_room (name)": "index-not-concurrent",
    "DROP INDEX n": "index-drop-not-concurrent",
    "REINDEX TABLE shop_room": "reindex-not-concurrent",
    "REINDEX INDEX n": "reindex-not-concurrent",
    "CREATE INDEX CONCURRENTLY n ON shop_room (name)": "concurrent-in-transaction",
    "ALTER TABLE shop_room DETACH PARTITION old CONCURRENTLY": "concurrent-in-transaction",
    "ALTER TABLE shop_room ADD luck float DEFAULT random()": "column-volatile-default",
    "ALTER TABLE shop_room ADD key uuid DEFAULT gen_random_uuid()": "column-volatile-default",
    "ALTER TABLE shop_room ADD seq bigserial": "column-computed",
    "ALTER TABLE shop_room ADD seq bigint GENERATED ALWAYS AS IDENTITY": "column-computed",
    "ALTER TABLE shop_room ADD twice int GENERATED ALWAYS AS (size * 2) STORED": "column-computed",
    "ALTER TABLE shop_room ADD floor int NOT NULL": "column-required",
    "ALTER TABLE shop_room ADD key text UNIQUE": "column-unique",
    "ALTER TABLE shop_room ALTER size SET NOT NULL": "column-not-null",
    "ALTER TABLE shop_room ADD CONSTRAINT n NOT NULL size": "column-not-null",
    "ALTER TABLE shop_room ALTER size TYPE bigint": "column-type",
    "ALTER TABLE shop_room ALTER size DROP NOT NULL": "column-nullable",
    "ALTER TABLE shop_room ALTER size SET DEFAULT 3": "column-default-changed",
    "CREATE TABLE t (id serial PRIMARY KEY)": "column-small-key",
    "ALTER TABLE shop_room ADD CONSTRAINT c CHECK (size > 0)": "check-validating",
    "ALTER TABLE shop_room ADD FOREIGN KEY (size) REFERENCES shop_owner": "foreign-key-validating",
    "ALTER TABLE shop_room ADD owner int DEFAULT 1 REFERENCES shop_owner": "foreign-key-validating",
    "ALTER TABLE shop_room ADD UNIQUE (name)": "unique-building",
    "ALTER TABLE shop_room ADD PRIMARY KEY (name)": "primary-key-building",
    "ALTER TABLE shop_room ADD EXCLUDE USING gist (size WITH =)": "exclusion-building",
    "ALTER TABLE shop_room DROP COLUMN size": "column-dropped",
    "DROP TABLE shop_room": "table-dropped",
    "ALTER TABLE shop_room RENAME TO hall": "renamed",
    "ALTER TABLE shop_room RENAME size TO area": "renamed",
    "ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'": "renamed",
    "ALTER SCHEMA shop RENAME TO store": "renamed",
    "TRUNCATE shop_room": "rows-truncated",
    "DROP SCHEMA shop": "schema-dropped",
    "DROP DATABASE shop": "schema-dropped",
    "DROP VIEW rooms CASCADE": "cascade",
    "ALTER TABLE shop_room DROP CONSTRAINT n CASCADE": "cascade",
    "ALTER TABLE shop_room ADD made timestamp": "column-without-zone",
    "ALTER TABLE shop_room ADD made timestamp(3)": "column-without-zone",
    "CREATE TABLE t (made timestamp without time zone)": "column-without-zone",
    "ALTER TABLE shop_room ADD land char(2)": "column-padded",
    "CREATE TABLE t (body json)": "column-json",
    "CREATE TABLE t (id bigserial)": "column-serial",
    "CREATE TABLE t (owner int REFERENCES shop_owner)": "foreign-key-without-index",
    "CREATE TABLE t (a int, b int, FOREIGN KEY (b) REFERENCES x, UNIQUE (a, b))": "foreign-key-without-index",
    "CREATE INDEX n ON shop_room (name, size, code, id)": "index-wide",
    "CREATE INDEX n ON shop_room USING hash (name)": "index-hash",
    "CREATE INDEX n ON shop_room (lower(name))": "index-not-analyzed",
    "ALTER TABLE shop_room ADD FOREIGN KEY (a) REFERENCES x, ADD FOREIGN KEY (b) "
    "REFERENCES y": "foreign-keys-together",
    "BEGIN": "transaction-by-hand",
    "COMMIT": "transaction-by-hand",
    "VACUUM FULL shop_room": "table-rewritten",
    "VACUUM (FULL, ANALYZE) shop_room": "table-rewritten",
    "CLUSTER shop_room USING n": "table-rewritten",
    "ALTER TABLE shop_room SET TABLESPACE fast": "table-rewritten",
    "ALTER TABLE rooms ATTACH PARTITION shop_room FOR VALUES IN (1)": "partition-attached",
    "ALTER TABLE shop_room DETACH PARTITION old": "partition-detached",
    "CREATE TABLE new PARTITION OF shop_room FOR VALUES IN (1)": "partition-made",
    "UPDATE shop_room SET size = 1": "rows-all-written-by-sql",
    "DELETE FROM shop_room": "rows-all-written-by-sql",
    f"COMMENT ON TABLE {'x' * 64} IS 'long'": "name-too-long",
    "DO $$ BEGIN DELETE FROM shop_room; END $$": "not-looked-at",
    "CALL fill()": "not-looked-at",
    "SELEC 1": "not-looked-at",
}
NOT_FOUND = (
    "UPDATE shop_room SET size = 1 WHERE id = 3",
    "DELETE FROM shop_room WHERE id = 3",
    "INSERT INTO shop_room (name) VALUES ('CREATE INDEX n ON shop_room (name)')",
    "ALTER TABLE shop_room ADD floor int",
    "ALTER TABLE shop_room ADD floor int NOT NULL DEFAULT 1",
    "ALTER TABLE shop_room ADD made timestamptz DEFAULT now()",
    "ALTER TABLE shop_room ADD kind text DEFAULT 'x'::text",
    "ALTER TABLE shop_room ADD owner int REFERENCES shop_owner",
    "ALTER TABLE shop_room ADD CONSTRAINT c CHECK (size > 0) NOT VALID",
    "ALTER TABLE shop_room ADD CONSTRAINT n NOT NULL size NOT VALID",
    "ALTER TABLE shop_room ADD FOREIGN KEY (size) REFERENCES shop_owner NOT VALID",
    "ALTER TABLE shop_room ADD CONSTRAINT u UNIQUE USING INDEX n",
    "ALTER TABLE shop_room VALIDATE CONSTRAINT c",
    "CREATE INDEX n ON ONLY shop_room (name)",
    "CREATE TABLE t (id bigint PRIMARY KEY); CREATE INDEX n ON t (id); DROP TABLE t",
    "CREATE TABLE t (owner int REFERENCES shop_owner); CREATE INDEX n ON t (owner, id)",
    "CREATE TABLE t (owner int UNIQUE REFERENCES shop_owner, made timestamptz, body jsonb, name varchar(9))",
    "CREATE TABLE t (name text); CREATE INDEX n ON t (lower(name))",
    "CREATE TABLE t (owner int REFERENCES shop_owner, day date, UNIQUE (owner, day))",
    "CREATE TABLE t (a int, b date, FOREIGN KEY (a) REFERENCES shop_owner, PRIMARY KEY (a, b))",
    "CREATE TABLE t (a int, b int, c int, d int); CREATE UNIQUE INDEX u ON t (a, b, c, d)",
    "CREATE TABLE t (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY)",
    "CREATE VIEW v AS SELECT 1",
    "COMMENT ON TABLE shop_room IS 'CREATE INDEX; TRUNCATE'",
    "SELECT setval('s', 1) -- DROP TABLE shop_room",
)


def rules(lint: Lint, sql: str, *, atomic: bool = True) -> list[str]:
    body = f"atomic = {atomic}\noperations = [migrations.RunSQL({sql!r}, migrations.RunSQL.noop)]"
    return [one.rule for one in lint(body)]


@pytest.mark.parametrize(("sql", "rule"), FOUND.items(), ids=list(FOUND))
def test_lint_finds(lint: Lint, sql: str, rule: str) -> None:
    """Each statement is read as PostgreSQL would."""
    assert rule in rules(lint, sql)


@pytest.mark.parametrize("sql", NOT_FOUND)
def test_lint_leaves_alone(lint: Lint, sql: str) -> None:
    """Neither what is safe, nor words within texts and comments."""
    assert rules(lint, sql) == []


def test_beside_writers_alone_and_in_no_transaction(lint: Lint) -> None:
    """CONCURRENTLY is fine alone; two statements in one text are one transaction."""
    index = "CREATE INDEX CONCURRENTLY n ON shop_room (name)"

    assert rules(lint, index, atomic=False) == []
    assert rules(lint, f"{index}; SELECT 1", atomic=False) == ["concurrent-in-transaction"]
    assert rules(lint, index.replace("n ON", "IF NOT EXISTS n ON"), atomic=False) == [
        "concurrent-if-not-exists"
    ]


def test_an_expression_is_counted_where_somebody_asks_for_it(lint: Lint) -> None:
    """In the same migration; another table's ANALYZE would not do, and nobody writes that."""
    index = "CREATE INDEX CONCURRENTLY n ON shop_room (lower(name))"
    operations = ", ".join(f"migrations.RunSQL({sql!r}, '')" for sql in (index, "ANALYZE shop_room"))

    assert rules(lint, index, atomic=False) == ["index-not-analyzed"]
    assert lint(f"atomic = False\noperations = [{operations}]") == []


def test_one_foreign_key_or_two_to_a_table_is_a_migration(lint: Lint) -> None:
    """What it locks for a moment is what it is about; keys of different tables are told apart."""
    key = "ALTER TABLE shop_room ADD FOREIGN KEY ({}) REFERENCES {} NOT VALID"

    assert rules(lint, key.format("a", "x")) == []
    assert rules(lint, "; ".join(key.format(column, "x") for column in "ab")) == []
    assert rules(lint, "; ".join(key.format(column, f"t{column}") for column in "ab")) == [
        "foreign-keys-together"
    ]


def test_a_value_of_an_enum_is_committed_before_it_is_used(lint: Lint) -> None:
    """Alone it is; beside another operation of one transaction, it isn't."""
    add = "migrations.RunSQL(\"ALTER TYPE mood ADD VALUE 'calm'\", migrations.RunSQL.noop)"
    use = "migrations.RunSQL(\"UPDATE x SET mood = 'calm' WHERE id = 1\", migrations.RunSQL.noop)"

    assert lint(f"operations = [{add}]") == []
    assert "enum-value-in-transaction" in {one.rule for one in lint(f"operations = [{add}, {use}]")}


def test_parameters_are_values(lint: Lint) -> None:
    """Beside values, %s stands for one, and % is written twice."""
    pair = "[(\"UPDATE shop_room SET name = %s WHERE name LIKE 'a%%'\", ['b'])]"

    assert [one.rule for one in lint(f"operations = [migrations.RunSQL({pair}, '')]")] == []


def test_a_finding_names_its_statement(workbench: Workbench) -> None:
    """Of several in one text, the one that it is about."""
    workbench.write(
        'migrations.RunSQL("SELECT 1; TRUNCATE shop_room", migrations.RunSQL.noop),',
    )

    (found,) = workbench.look().findings

    assert (found.rule, found.what, found.table) == ("rows-truncated", "TRUNCATE shop_room", ROOM)


def test_the_type_of_a_column_is_known_from_its_model(lint: Lint) -> None:
    """A longer text writes nothing anew; a shorter one does, and so may one of a table of nobody's."""
    change = "ALTER TABLE {} ALTER name TYPE varchar({})"

    assert rules(lint, change.format("shop_room", 80)) == []
    assert rules(lint, change.format("shop_room", 9)) == ["column-type", "column-narrower"]
    assert rules(lint, change.format("elsewhere", 80)) == ["column-type"]


def test_without_the_parser_nobody_looked(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is told, with how to install it, and is never taken for a good answer."""
    monkeypatch.setitem(sys.modules, "pglast", None)

    (told,) = read("SELECT 1", Spot())

    assert isinstance(told, Unseen)
    assert "[lint]" in told.why


@pytest.mark.parametrize(("sql", "count"), [("", 0), ([], 0), (["SELECT 1", ("SELECT %s", [1])], 2)])
def test_each_form_that_RunSQL_takes(sql: Any, count: int) -> None:  # noqa: N802 - its name
    """A text, a list, pairs."""
    assert [one.act.kind for one in read(sql, Spot()) if isinstance(one, Written)] == [Kind.HARMLESS] * count
