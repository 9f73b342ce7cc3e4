"""Counting on a real PostgreSQL what statements would drop: a number that is too small is never told."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from accord.seam.losses import HowMany
from accord.seam.types import Language, Source, Statement, Step, StepKey
from migrator.foretelling.counting import losses
from migrator.foretelling.looks import GUARDED, Unasked

pytestmark = pytest.mark.integration

KEY = StepKey("default", "shop", "0001_first")
SETUP = """
    CREATE TABLE guarded (id int);
    CREATE TABLE plain (id int);
    CREATE SCHEMA archive;
    CREATE TABLE archive.plain (id int);
    INSERT INTO guarded SELECT generate_series(1, 3);
    INSERT INTO plain SELECT generate_series(1, 2);
    INSERT INTO archive.plain SELECT generate_series(1, 7);
    ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
    GRANT USAGE ON SCHEMA archive TO {role};
    GRANT SELECT ON guarded, archive.plain TO {role};
"""

Counted = Callable[..., dict[str, HowMany]]


@pytest.fixture
def counted(new_database: Callable[[], str]) -> Iterator[Counted]:
    """Give what counts the losses of statements, as the owner or as an account with few rights."""
    role = f"reader_{uuid.uuid4().hex[:8]}"
    with closing(psycopg2.connect(new_database())) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {role}; {SETUP.format(role=role)}")
        connection.commit()

        def count(*texts: str, as_reader: bool = False) -> dict[str, HowMany]:
            def ask(sql: str) -> Sequence[Sequence[Any]]:
                try:
                    cursor.execute(f"SET LOCAL ROLE {role}" if as_reader else "SELECT 1")
                    cursor.execute(GUARDED)
                    cursor.execute(sql)
                    return cursor.fetchall()
                except psycopg2.Error as exc:
                    raise Unasked(exc.pgcode or "") from exc
                finally:
                    connection.rollback()

            step = Step(key=KEY, source=Source(Path("0001_first.py"), b""))
            sent = [Statement(text=text, language=Language.SQL) for text in texts]
            return {loss.what: loss.count for loss in losses(ask, [(step, sent)])}

        yield count
        cursor.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
        connection.commit()


def test_rows_that_an_account_may_not_see_are_unknown_and_not_none(counted: Counted) -> None:
    """Row-level security hides rows without a word, and missing rights say no; neither is an empty table."""
    both = ("DROP TABLE guarded", "DROP TABLE plain", "DROP TABLE archive.plain")

    assert set(counted(*both, as_reader=True).items()) == {
        ("table guarded", HowMany(None)),
        ("table plain", HowMany(None)),
        ("table archive.plain", HowMany(7)),
    }
    assert counted(*both)["table guarded"] == HowMany(3)


@pytest.mark.parametrize(
    ("statements", "what", "number"),
    [
        (("ALTER TABLE guarded SET SCHEMA archive", "DROP TABLE archive.guarded"), "table guarded", 3),
        (
            ('ALTER TABLE "archive"."plain" RENAME TO "old"', 'DROP TABLE "archive"."old"'),
            "table archive.plain",
            7,
        ),
        (
            ("ALTER TABLE plain RENAME TO p", "ALTER TABLE p SET SCHEMA archive; DROP TABLE archive.p"),
            "table plain",
            2,
        ),
        (("ALTER TABLE plain RENAME TO p", "DROP TABLE public.p"), "table plain", 2),
        (("ALTER TABLE public.plain DROP COLUMN id",), "column plain.id", 2),
        (("ALTER SCHEMA archive RENAME TO old", "DROP TABLE old.plain"), "table old.plain", None),
        (("DROP TABLE gone_already",), "table gone_already", 0),
    ],
)
def test_table_is_counted_by_whichever_name_it_goes(
    counted: Counted, statements: Sequence[str], what: str, number: int | None
) -> None:
    """Moved to another schema, renamed with its schema or without; what can't be followed is unknown."""
    assert counted(*statements) == {what: HowMany(number)}


def test_table_of_the_same_name_in_another_schema_is_another_one(counted: Counted) -> None:
    """What the plan makes in one schema hides nothing in the other."""
    assert counted("CREATE TABLE archive.guarded (id int)", "DROP TABLE guarded") == {
        "table guarded": HowMany(3)
    }
