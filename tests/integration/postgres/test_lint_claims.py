"""
What lint claims about locks and rewrites, held against servers.

Each statement runs in a transaction on a table with rows; `pg_locks` tells which lock it holds, and the file
of the table whether its rows were written anew. Then all is rolled back. A claim that is too weak would let
somebody wait unwarned; one that is too strong is noise: both fail.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from migrator.foretelling.acts import Kind
from migrator.foretelling.locks import NO_BURDEN, Burden, LockMode, burden_of
from migrator.lint.reading.written import Written, read
from migrator.lint.subject import Spot
from tests.own_postgres import OLDER, programs, running

pytestmark = pytest.mark.integration

SEED = """
CREATE TABLE owner (id int PRIMARY KEY);
INSERT INTO owner VALUES (1);
CREATE TABLE room (id bigint NOT NULL, name varchar(40), size int DEFAULT 1, code int);
INSERT INTO room SELECT n, n::text, 1, 1 FROM generate_series(1, 500) n;
ALTER TABLE room ADD price numeric(5, 2), ADD zoned timestamptz(3), ADD opens time(3), ADD lasts interval(3),
    ADD net cidr, ADD host inet, ADD flags varbit(8), ADD made timestamp(3);
CREATE UNIQUE INDEX room_id ON room (id);
ALTER TABLE room ADD CONSTRAINT positive CHECK (size > 0) NOT VALID;
ALTER TABLE room ADD CONSTRAINT owned FOREIGN KEY (code) REFERENCES owner NOT VALID;
CREATE TABLE rooms (id int, size int) PARTITION BY LIST (size);
CREATE TABLE small PARTITION OF rooms FOR VALUES IN (1);
CREATE TABLE large (LIKE rooms);
INSERT INTO large SELECT n, 2 FROM generate_series(1, 500) n;
"""
STATEMENTS = (
    "CREATE INDEX i ON room (name)",
    "CREATE UNIQUE INDEX i ON room (name)",
    "CREATE INDEX i ON room USING hash (name)",
    "CREATE INDEX i ON room (lower(name))",
    "REINDEX TABLE room",
    "ALTER TABLE room ADD luck float DEFAULT random()",
    "ALTER TABLE room ADD key uuid DEFAULT gen_random_uuid()",
    "ALTER TABLE room ADD seq bigserial",
    "ALTER TABLE room ADD seq bigint GENERATED ALWAYS AS IDENTITY",
    "ALTER TABLE room ADD twice int GENERATED ALWAYS AS (size * 2) STORED",
    "ALTER TABLE room ADD told timestamp",
    "ALTER TABLE room ADD land char(2)",
    "ALTER TABLE room ADD body json",
    "ALTER TABLE room ADD floor int",
    "ALTER TABLE room ADD floor int NOT NULL DEFAULT 1",
    "ALTER TABLE room ADD since timestamptz DEFAULT now()",
    "ALTER TABLE room ADD day date DEFAULT CURRENT_DATE",
    "ALTER TABLE room ADD kind text DEFAULT 'x'::text",
    "ALTER TABLE room ADD key text UNIQUE",
    "ALTER TABLE room ADD owner int REFERENCES owner",
    "ALTER TABLE room ALTER size SET NOT NULL",
    "ALTER TABLE room ALTER id DROP NOT NULL",
    "ALTER TABLE room ALTER size SET DEFAULT 3",
    "ALTER TABLE room ALTER code TYPE bigint",
    "ALTER TABLE room ALTER name TYPE varchar(9)",
    "ALTER TABLE room ALTER name TYPE varchar(41)",
    "ALTER TABLE room ALTER name TYPE varchar",
    "ALTER TABLE room ALTER name TYPE text",
    "ALTER TABLE room ALTER name TYPE char(40)",
    "ALTER TABLE room ALTER price TYPE numeric(7,2)",
    "ALTER TABLE room ALTER price TYPE numeric(7,3)",
    "ALTER TABLE room ALTER price TYPE numeric(4,2)",
    "ALTER TABLE room ALTER price TYPE numeric",
    "ALTER TABLE room ALTER made TYPE timestamp(5)",
    "ALTER TABLE room ALTER made TYPE timestamp",
    "ALTER TABLE room ALTER made TYPE timestamp(2)",
    "ALTER TABLE room ALTER made TYPE timestamptz(3)",
    "ALTER TABLE room ALTER zoned TYPE timestamp(6) with time zone",
    "ALTER TABLE room ALTER zoned TYPE timestamptz(2)",
    "ALTER TABLE room ALTER opens TYPE time",
    "ALTER TABLE room ALTER opens TYPE time(2)",
    "ALTER TABLE room ALTER opens TYPE timetz(3)",
    "ALTER TABLE room ALTER lasts TYPE interval",
    "ALTER TABLE room ALTER lasts TYPE interval(1)",
    "ALTER TABLE room ALTER net TYPE inet",
    "ALTER TABLE room ALTER host TYPE cidr",
    "ALTER TABLE room ALTER flags TYPE varbit(9)",
    "ALTER TABLE room ALTER flags TYPE bit varying",
    "ALTER TABLE room ALTER flags TYPE varbit(7)",
    "ALTER TABLE room ALTER name TYPE int USING name::int",
    "ALTER TABLE room ADD CONSTRAINT c CHECK (code > 0)",
    "ALTER TABLE room ADD CONSTRAINT c CHECK (code > 0) NOT VALID",
    "ALTER TABLE room VALIDATE CONSTRAINT positive",
    "ALTER TABLE room ADD FOREIGN KEY (size) REFERENCES owner",
    "ALTER TABLE room ADD FOREIGN KEY (size) REFERENCES owner NOT VALID",
    "ALTER TABLE room VALIDATE CONSTRAINT owned",
    "ALTER TABLE room ADD UNIQUE (name)",
    "ALTER TABLE room ADD PRIMARY KEY (id)",
    "ALTER TABLE room ADD CONSTRAINT u UNIQUE USING INDEX room_id",
    "ALTER TABLE room ADD EXCLUDE USING btree (id WITH =)",
    "ALTER TABLE room DROP CONSTRAINT positive",
    "ALTER TABLE room DROP COLUMN code",
    "ALTER TABLE room RENAME TO hall",
    "ALTER TABLE room RENAME size TO area",
    "ALTER TABLE room SET UNLOGGED",
    "ALTER TABLE rooms ATTACH PARTITION large FOR VALUES IN (2)",
    "ALTER TABLE rooms DETACH PARTITION small",
    "CREATE TABLE other PARTITION OF rooms FOR VALUES IN (3)",
    "CLUSTER room USING room_id",
    "TRUNCATE room",
    "DROP TABLE room",
    "UPDATE room SET size = 2 WHERE id = 1",
    "DELETE FROM room WHERE id = 1",
    "INSERT INTO room (id) VALUES (0)",
)
NAMES_NOT_NULL = 180_000
"""Version from which on such a constraint has a name."""
TYPES = {
    "code": "integer",
    "name": "varchar(40)",
    "price": "numeric(5,2)",
    "made": "timestamp(3) without time zone",
    "zoned": "timestamp(3) with time zone",
    "opens": "time(3) without time zone",
    "lasts": "interval(3)",
    "net": "cidr",
    "host": "inet",
    "flags": "bit varying(8)",
}
"""Types of the columns, as the catalog writes them."""


@pytest.fixture(scope="module")
def old_url() -> Iterator[str]:
    """Run the older server that the machine has, for as long as it is asked."""
    folder = programs(OLDER)
    if folder is None:
        pytest.skip(f"this machine has no PostgreSQL {OLDER} of its own")
    with running(folder) as url:
        yield url


def seeded(url: str) -> Any:
    """Return a connection to a database with tables."""
    connection = psycopg2.connect(url)
    with connection.cursor() as cursor:
        cursor.execute(SEED)
        connection.commit()
        return connection


def claimed(sql: str) -> dict[str, Burden]:
    """Return what lint claims of a statement, table by table."""
    claims: dict[str, Burden] = {}
    for one in read(sql, Spot()):
        assert isinstance(one, Written)
        act = one.act
        old = TYPES.get(act.columns[0], "") if act.kind is Kind.TYPE else ""
        if act.table and act.kind is not Kind.CREATE_TABLE:
            claims[act.table] = burden_of(act, old).beside(claims.get(act.table, NO_BURDEN))
    return claims


def files(cursor: Any) -> dict[str, tuple[int, int]]:
    """Return the file of each table by name, with its identity."""
    cursor.execute("SELECT relname, oid, relfilenode FROM pg_class WHERE relkind IN ('r', 'p')")
    return {name: (oid, file) for name, oid, file in cursor.fetchall()}


def held(cursor: Any, oid: int) -> LockMode:
    """Return the strongest lock of this session on a table that keeps anybody out."""
    cursor.execute("SELECT mode FROM pg_locks WHERE pid = pg_backend_pid() AND relation = %s", [oid])
    names = [
        re.sub(r"(?<=[a-z])(?=[A-Z])", "_", mode.removesuffix("Lock")).upper()
        for (mode,) in cursor.fetchall()
    ]
    return max((LockMode[name] for name in names if name in LockMode.__members__), default=LockMode.NONE)


def wrong_claims(url: str, statements: Sequence[str]) -> list[str]:
    """Run each statement, roll it back, and return where lint claims something else than the server does."""
    connection = seeded(url)
    wrong = []
    with closing(connection), connection.cursor() as cursor:
        for sql in statements:
            before = files(cursor)
            cursor.execute(sql)
            after = dict(files(cursor).values())
            for table, burden in claimed(sql).items():
                oid, file = before[table]
                is_new = after.get(oid, file) != file and "TRUNCATE" not in sql
                found = (held(cursor, oid), is_new)
                if found != (burden.mode, burden.rewrites):
                    wrong.append(f"{sql}: {table} has {found}, lint claims {(burden.mode, burden.rewrites)}")
            connection.rollback()
    return wrong


def test_claims_hold_on_the_newest_server(new_database: Callable[[], str]) -> None:
    """Lock and rewrite of each statement, no more and no less."""
    url = new_database()
    with closing(psycopg2.connect(url)) as connection:
        is_new = connection.server_version >= NAMES_NOT_NULL
    newest = ("ALTER TABLE room ADD CONSTRAINT n NOT NULL size",) if is_new else ()

    assert wrong_claims(url, [*STATEMENTS, *newest]) == []


def test_a_foreign_key_locks_its_target_until_the_end(new_database: Callable[[], str]) -> None:
    """Also where no row is looked up: what foreign-keys-together says of several."""
    connection = seeded(new_database())
    with closing(connection), connection.cursor() as cursor:
        oid, _ = files(cursor)["owner"]
        cursor.execute("ALTER TABLE room ADD FOREIGN KEY (code) REFERENCES owner NOT VALID")
        cursor.execute("SELECT 1")

        assert held(cursor, oid) is LockMode.SHARE_ROW_EXCLUSIVE


def test_claims_hold_on_an_older_server(old_url: str) -> None:
    """As above, where the machine has one."""
    assert wrong_claims(old_url, STATEMENTS) == []


def test_every_claim_is_about_a_table() -> None:
    """A statement that isn't understood would claim nothing, and so be right."""
    assert [sql for sql in STATEMENTS if not claimed(sql)] == []
    assert {Kind.INDEX, Kind.ADD_COLUMN, Kind.TYPE, Kind.REWRITE} <= {
        kind for sql in STATEMENTS for kind in kinds(sql)
    }


def kinds(sql: str) -> set[Kind]:
    return {one.act.kind for one in read(sql, Spot()) if isinstance(one, Written)}
