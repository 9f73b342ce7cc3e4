"""What statements would drop is read from their text, by the names that things have now."""

from __future__ import annotations

from pathlib import Path

import pytest

from accord.seam.types import Language, Source, Statement, Step, StepKey
from migrator.foretelling.dropping import dropped

KEY = StepKey("default", "shop", "0001_first")


def of(*statements: str) -> list[str]:
    """Return what statements of one step would drop, as `table` or `table.column`."""
    step = Step(key=KEY, source=Source(Path("0001_first.py"), b""))
    rendered = [(step, [Statement(text=text, language=Language.SQL) for text in statements])]
    return [
        "unread" if one.is_unread else f"{one.table}.{one.column}".rstrip(".") for one in dropped(rendered)
    ]


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        (['DROP TABLE "shop_order" CASCADE;'], ["shop_order"]),
        (['ALTER TABLE "shop_order" DROP COLUMN "note" CASCADE;'], ["shop_order.note"]),
        (['ALTER TABLE "a" RENAME TO "b"', 'DROP TABLE "b"'], ["a"]),
        (['ALTER TABLE "a" RENAME TO "b"', 'ALTER TABLE "b" RENAME TO "c"', 'DROP TABLE "c"'], ["a"]),
        (['ALTER TABLE "a" RENAME COLUMN "x" TO "y"', 'ALTER TABLE "a" DROP COLUMN "y"'], ["a.x"]),
        (
            [
                'ALTER TABLE "a" RENAME COLUMN "x" TO "y"',
                'ALTER TABLE "a" RENAME TO "b"',
                'ALTER TABLE "b" DROP COLUMN "y"',
            ],
            ["a.x"],
        ),
        (['CREATE TABLE "a" ("id" integer)', 'DROP TABLE "a"'], []),
        (['ALTER TABLE "a" ADD COLUMN "x" integer', 'ALTER TABLE "a" DROP COLUMN "x"'], []),
        (['CREATE TABLE "a" ("id" int)', 'ALTER TABLE "a" RENAME TO "b"', 'DROP TABLE "b"'], []),
        (['DROP INDEX "a_idx"', 'DELETE FROM "a"', 'ALTER TABLE "a" DROP CONSTRAINT "c"'], []),
        (["DROP TABLE one, two"], ["one", "two"]),
        (
            [
                "CREATE TABLE t_new (id int)",
                "ALTER TABLE t RENAME TO tmp",
                "ALTER TABLE t_new RENAME TO t",
                "ALTER TABLE tmp RENAME TO t_new",
                "DROP TABLE t_new",
            ],
            ["t"],
        ),
        (
            [
                "ALTER TABLE t ADD COLUMN a_new int",
                "ALTER TABLE t RENAME COLUMN a TO tmp",
                "ALTER TABLE t RENAME COLUMN a_new TO a",
                "ALTER TABLE t DROP COLUMN tmp",
            ],
            ["t.a"],
        ),
        (["ALTER TABLE t SET SCHEMA archive", 'DROP TABLE "archive"."t"'], ["t"]),
        (["ALTER TABLE t SET SCHEMA archive; DROP TABLE archive.t"], ["t"]),
        (["CREATE TABLE t (id int)", "ALTER TABLE t SET SCHEMA archive", "DROP TABLE archive.t"], []),
        (["ALTER TABLE a.t RENAME TO u", "DROP TABLE a.u"], ["a.t"]),
        (["DROP SCHEMA archive CASCADE"], ["unread"]),
        (["TRUNCATE shop_order"], ["unread"]),
        (["DROP MATERIALIZED VIEW m"], ["unread"]),
        (["DO $$ BEGIN DROP TABLE shop_order; END $$"], ["unread"]),
        (["DROP TYPE mood CASCADE"], ["unread"]),
        (["DROP TYPE mood", "DROP FUNCTION f()", "DELETE FROM shop_order"], []),
    ],
)
def test_what_goes_is_named_as_it_is_called_now(statements: list[str], found: list[str]) -> None:
    """Renames are followed back, and what the same plan makes is nobody's loss."""
    assert of(*statements) == found
