"""A description holds what was made and nothing else; one thing more is one line more."""

from __future__ import annotations

from contextlib import closing
from difflib import unified_diff
from typing import Any

import pytest

from accord.seam.describing import Describes
from accord.seam.stores import Store
from accord.testing import make_lease
from mongo_migrations.store import MongoStore
from tests.conformance.harness_alembic import AlembicHarness
from tests.conformance.harness_mongo import MongoHarness
from tests.conformance.harness_relational import DocumentsHarness, RelationalHarness
from tests.conformance.harness_search import SearchHarness
from tests.fix_postgres import execute

pytestmark = pytest.mark.by_turns(3)


def text_of(store: Store) -> str:
    assert isinstance(store, Describes)
    found = store.describe()
    assert found is not None
    return found.text


def changed(before: str, after: str) -> list[str]:
    """Return the lines that differ, each with its sign."""
    lines = unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


def test_each_change_of_a_postgresql_is_one_line(relational_harness: RelationalHarness) -> None:
    """A column, a default, an index, a rule, a trigger that is switched off: in the server's own words."""
    harness = relational_harness
    harness.store().apply(harness.step("0001_artists"), make_lease(7))
    table = f"{harness.app}_artist"
    execute(
        harness.url,
        "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        f"CREATE TRIGGER watch AFTER UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION nothing()",
    )
    told = {
        f"ALTER TABLE {table} ADD zone integer DEFAULT 3 NOT NULL": ["+    zone integer NOT NULL DEFAULT 3,"],
        f"ALTER TABLE {table} ALTER zone DROP DEFAULT": [
            "-    zone integer NOT NULL DEFAULT 3,", "+    zone integer NOT NULL,",
        ],
        f"CREATE INDEX by_hand ON {table} (zone DESC) WHERE zone > 5": [
            f"+CREATE INDEX by_hand ON {table} USING btree (zone DESC) WHERE zone > 5;"
        ],
        f"ALTER TABLE {table} ADD CONSTRAINT few CHECK (zone < 9) NOT VALID": [
            f"+ALTER TABLE {table} ADD CONSTRAINT few CHECK ((zone < 9)) NOT VALID;"
        ],
        f"ALTER TABLE {table} DISABLE TRIGGER watch": [f"+ALTER TABLE {table} DISABLE TRIGGER watch;"],
    }  # fmt: skip
    before = text_of(harness.store())

    for statement, lines in told.items():
        execute(harness.url, statement)
        after = text_of(harness.store())
        assert changed(before, after) == lines
        before = after


EVERYTHING = """
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE DOMAIN percent AS integer DEFAULT 5 NOT NULL CONSTRAINT percent_range CHECK (VALUE <= 100);
CREATE SEQUENCE tickets AS integer INCREMENT BY 5;
CREATE TABLE person (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, old serial, born date NOT NULL,
    "Weird name" text COLLATE "C", twice bigint GENERATED ALWAYS AS (id * 2) STORED,
    mood mood DEFAULT 'glad', EXCLUDE (born WITH =)
);
CREATE TABLE pet (owner bigint REFERENCES person DEFERRABLE);
CREATE TABLE log (at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE log_2026 PARTITION OF log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE UNLOGGED TABLE quick (id integer);
CREATE UNIQUE INDEX person_born ON person (lower("Weird name")) INCLUDE (born);
CREATE VIEW adults WITH (security_barrier) AS SELECT id FROM person WHERE born < '2008-01-01';
CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM person;
CREATE INDEX counted_n ON counted (n);
CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'no'; END $$;
CREATE TRIGGER stay BEFORE DELETE ON person FOR EACH STATEMENT EXECUTE FUNCTION guard();
CREATE SCHEMA elsewhere CREATE TABLE hidden (id integer);
ALTER TABLE person ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON person AS RESTRICTIVE FOR SELECT USING (id > 5);
COMMENT ON TABLE pet IS 'It''s one';
COMMENT ON COLUMN pet.owner IS 'Whose';
"""
TOLD = """
CREATE DOMAIN percent AS integer DEFAULT 5 NOT NULL CONSTRAINT percent_range CHECK ((VALUE <= 100));

CREATE SEQUENCE tickets AS integer INCREMENT BY 5;

CREATE TYPE mood AS ENUM ('sad', 'glad');

CREATE INDEX counted_n ON counted USING btree (n);

CREATE TABLE log (
    at date NOT NULL,
) PARTITION BY RANGE (at);

CREATE TABLE person (
    "Weird name" text COLLATE "C",
    born date NOT NULL,
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    mood mood DEFAULT 'glad'::mood,
    old integer NOT NULL DEFAULT nextval('person_old_seq'::regclass),
    twice bigint GENERATED ALWAYS AS ((id * 2)) STORED,
);
ALTER TABLE person ENABLE ROW LEVEL SECURITY;
ALTER TABLE person ADD CONSTRAINT person_born_excl EXCLUDE USING btree (born WITH =);
ALTER TABLE person ADD CONSTRAINT person_pkey PRIMARY KEY (id);
CREATE UNIQUE INDEX person_born ON person USING btree (lower("Weird name")) INCLUDE (born);
CREATE TRIGGER stay BEFORE DELETE ON person FOR EACH STATEMENT EXECUTE FUNCTION guard();
CREATE POLICY own ON person AS RESTRICTIVE FOR SELECT TO PUBLIC USING ((id > 5));

CREATE TABLE pet (
    owner bigint,
);
ALTER TABLE pet ADD CONSTRAINT pet_owner_fkey FOREIGN KEY (owner) REFERENCES person(id) DEFERRABLE;
COMMENT ON TABLE pet IS 'It''s one';
COMMENT ON COLUMN pet.owner IS 'Whose';

CREATE UNLOGGED TABLE quick (
    id integer,
);

CREATE MATERIALIZED VIEW counted AS
 SELECT count(*) AS n
   FROM person;

CREATE VIEW adults WITH (security_barrier=true) AS
 SELECT id
   FROM person
  WHERE born < '2008-01-01'::date;

CREATE OR REPLACE FUNCTION guard()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ BEGIN
    RAISE EXCEPTION 'no'; END $function$;
"""


def test_postgresql_is_described_through_either_driver(
    relational_harness: RelationalHarness, alembic_harness: AlembicHarness
) -> None:
    """One text: whichever store asks, whichever the database, whatever it holds; partitions are in none."""
    for harness in (relational_harness, alembic_harness):
        execute(harness.url, EVERYTHING)
    execute(alembic_harness.url, "INSERT INTO person (born) VALUES ('1990-01-01'), ('1991-01-01')")
    execute(alembic_harness.url, "CREATE TABLE log_2027 PARTITION OF log DEFAULT")

    found = {text_of(harness.store()) for harness in (relational_harness, alembic_harness)}

    assert found == {TOLD.lstrip("\n")}


def test_description_follows_no_place_of_a_column(relational_harness: RelationalHarness) -> None:
    """A column that was dropped and made again stands last, and is the same."""
    execute(relational_harness.url, "CREATE TABLE one (a integer, b integer)")
    before = text_of(relational_harness.store())

    execute(relational_harness.url, "ALTER TABLE one DROP a", "ALTER TABLE one ADD a integer")

    assert text_of(relational_harness.store()) == before


def test_each_change_of_a_mongodb_is_one_line(mongo_harness: MongoHarness) -> None:
    """A part of a validator, an index with its keys in their order, a view; and never a document."""
    harness, db = mongo_harness, mongo_harness.db
    harness.store().apply(harness.step("0001_playlists"), make_lease(7))
    before = text_of(harness.store())

    db.command(
        "collMod", "playlists", validator={"$jsonSchema": {"bsonType": "object", "required": ["name"]}}
    )
    after = text_of(harness.store())
    assert changed(before, after) == ['-          required: ["owner_id"]', '+          required: ["name"]']
    db.playlists.create_index([("b", 1), ("a", -1)], name="by_hand", unique=True)
    db.playlists.insert_one({"name": "one", "b": 1})
    db.create_collection("shown", viewOn="playlists", pipeline=[{"$match": {"b": 1}}])
    assert changed(after, text_of(harness.store())) == [
        "+      by_hand:", "+        key:", "+          b: 1", "+          a: -1", "+        unique: true",
        "+  shown:", "+    options:", "+      pipeline:", "+        - $match:", "+            b: 1",
        '+      viewOn: "playlists"',
    ]  # fmt: skip


def test_models_in_a_mongodb_are_described_as_revisions_are(
    documents_harness: DocumentsHarness, mongo_harness: MongoHarness
) -> None:
    """Django's store and ours look at one database, and see the same but for Django's books."""
    harness = documents_harness
    harness.store().apply(harness.step("0001_artists"), make_lease(7))
    with closing(MongoStore("ours", {"URL": harness.url})) as store:
        ours = text_of(store)

    told = text_of(harness.store())

    assert f"  {harness.app}_artist:" in told.splitlines()
    assert {line[0] for line in changed(told, ours)} <= {"+"}
    assert "+  django_migrations:" in changed(told, ours)


def test_each_change_of_a_search_server_is_one_line(search_harness: SearchHarness) -> None:
    """A field, a setting, an alias; the number behind an index, and what a template makes, are in no text."""
    harness = search_harness
    for name in harness.step_names:
        harness.store().apply(harness.step(name), make_lease(7))
    before = text_of(harness.store())
    assert "  tracks:" in before.splitlines()
    assert "0001" not in before
    assert "0003" not in before
    prefix = harness.store().names.prefix
    assert prefix
    assert prefix not in before

    def asked(method: str, path: str, body: dict[str, Any]) -> list[str]:
        answer = harness.ask(method, f"/{prefix}{path}", body)
        assert answer["acknowledged"], answer
        return changed(before, text_of(harness.store()))

    field = {"properties": {"by_hand": {"type": "keyword"}}}
    assert asked("PUT", "charts-2026", {}) == []
    added = asked("PUT", "tracks/_mapping", field)
    assert added == ["+        by_hand:", '+          type: "keyword"']
    again = asked("PUT", "tracks/_settings", {"index": {"refresh_interval": "9s"}})
    assert set(again) - set(added) == {
        '-      index.refresh_interval: "5s"', '+      index.refresh_interval: "9s"',
    }  # fmt: skip


def test_store_on_a_search_server_of_others_is_described_alone(search_harness: SearchHarness) -> None:
    """Without revisions there is nothing; what stands under another prefix is another's."""
    assert text_of(search_harness.store()).splitlines() == [
        "indexes: {}", "templates: {}", "component_templates: {}", "pipelines: {}",
    ]  # fmt: skip
