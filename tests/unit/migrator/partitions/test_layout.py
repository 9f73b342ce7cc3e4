"""Which partitions there have to be, and what is to be done as time goes by: decided without a server."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from django.db.migrations.writer import MigrationWriter

from accord.errors import ConfigurationError, UsageError
from migrator.operations import PartitionModel
from migrator.partitions import ByHash, ByList, ByTime, Every, Partitioned, copying
from migrator.partitions.duties import Standing, duties
from migrator.partitions.layout import Part, after, begin_of, parts_of
from migrator.relational.copies import LONGEST, named

ZONED = "timestamp with time zone"
TODAY = date(2026, 11, 28)


@pytest.mark.parametrize("every", list(Every))
def test_periods_follow_each_other_without_a_gap(every: Every) -> None:
    """Each day of three years is in one period, which ends where the next one begins."""
    for number in range(3 * 366):
        day = date(2023, 12, 25) + timedelta(days=number)
        begin = begin_of(day, every)
        end = after(begin, every)
        assert begin <= day < end
        assert begin_of(end, every) == end
        assert after(end, every, -1) == begin


def test_parts_reach_from_the_oldest_row_to_those_ahead() -> None:
    """In UTC, with a rest; a table without rows has those of now."""
    by = ByTime(every=Every.MONTH, ahead=1)

    found = parts_of("play", by, kind=ZONED, oldest=date(2026, 9, 30), newest=None, today=TODAY)

    assert [part.name for part in found] == [
        *(f"play_p2026_{month}" for month in ("09", "10", "11", "12")),
        "play_pdefault",
    ]
    assert found[0].bounds == "FROM ('2026-09-01 00:00:00+00') TO ('2026-10-01 00:00:00+00')"
    empty = parts_of("play", by, kind="date", oldest=None, newest=None, today=TODAY)
    assert [part.bounds for part in empty[:1]] == ["FROM ('2026-11-01') TO ('2026-12-01')"]


def test_parts_by_hash_and_by_values() -> None:
    """Every remainder once; values as SQL writes them, whatever is in them."""
    hashed = parts_of("t", ByHash(parts=3), kind="bigint", oldest=None, newest=None, today=TODAY)
    by = ByList(lists={"few": ["it's", "a\\b"]}, default=False)
    [listed] = parts_of("t", by, kind="text", oldest=None, newest=None, today=TODAY)

    assert [part.bounds for part in hashed] == [f"WITH (MODULUS 3, REMAINDER {n})" for n in range(3)]
    assert listed.bounds == "IN ('it''s', E'a\\\\b')"


def test_too_many_parts_are_refused_with_the_days() -> None:
    """Each would be a file and a lock."""
    by = ByTime(every=Every.DAY)

    with pytest.raises(UsageError, match="rows from 1970-01-01 to"):
        parts_of("t", by, kind="date", oldest=date(1970, 1, 1), newest=None, today=TODAY)


def test_long_names_are_cut_and_stay_apart() -> None:
    """PostgreSQL would cut them without a word, and two would be one."""
    one, other = named("a" * 63, "_p2026_01"), named("a" * 62 + "b", "_p2026_01")

    assert len(one) == len(other) == LONGEST
    assert one != other
    assert one.endswith("_p2026_01")


@pytest.mark.parametrize(
    ("by", "words"),
    [
        (ByTime(ahead=0), "ahead must be"),
        (ByTime(keep=0), "keep must be"),
        (ByHash(parts=1), "parts must be"),
        (ByList(lists={}), "lists must name"),
        (ByList(lists={"A b": [1]}), "can't have the name"),
        (ByList(lists={"default": [1]}), "can't have the name"),
        (ByList(lists={"a": [1], "b": ["1"]}), "each value to one"),
        (ByList(lists={"a": []}), "each partition values"),
    ],
)
def test_declaration_that_does_not_fit_is_told(by: ByTime | ByHash | ByList, words: str) -> None:
    """Where it is written, before anything is asked of a server."""
    with pytest.raises(ConfigurationError, match=words):
        Partitioned(model="app.Model", key="at", by=by)


def test_batches_are_smaller_after_a_long_one_and_grow_again() -> None:
    """Whoever wants to write a row of one waits until its end."""
    rows = copying.ROWS
    for _ in range(9):
        rows = copying.next_size(rows, copying.LONG * 2)
    assert rows == copying.FEWEST
    for _ in range(9):
        rows = copying.next_size(rows, copying.LONG / 2)
    assert rows == copying.ROWS


def test_operation_is_written_as_it_was_said() -> None:
    """When migrations are squashed, Django writes it anew."""
    by = ByTime(every=Every.WEEK, ahead=2, keep=8)
    text, imports = MigrationWriter.serialize(PartitionModel("play", key="at", by=by).deconstruct()[2]["by"])

    names: dict[str, object] = {}
    exec("\n".join(imports), names)  # noqa: S102 - what Django wrote
    assert eval(text, names) == by  # noqa: S307 - as above


def standing(*days: str, default: bool = True) -> Sequence[Standing]:
    """Return partitions of a day to another, each written `from/to`."""
    bounds = [f"FOR VALUES FROM ('{one}') TO ('{other}')" for one, other in (day.split("/") for day in days)]
    found = [Standing(name=f"p{number}", bounds=text) for number, text in enumerate(bounds)]
    return [*found, *([Standing(name="rest", bounds="DEFAULT")] if default else [])]


def names(parts: Sequence[Part | Standing]) -> list[str]:
    return [part.name for part in parts]


def test_duties_are_what_is_missing_and_what_is_over() -> None:
    """A larger partition covers several periods; the period that is kept last stays to its end."""
    by = ByTime(every=Every.MONTH, ahead=2, keep=2)
    found = standing(
        "2025-01-01/2026-01-01", "2026-08-01/2026-09-01", "2026-09-01/2026-10-01", "2026-10-01/2027-01-01"
    )

    what = duties("t", by, "date", found, TODAY)

    assert names(what.missing) == ["t_p2027_01"]
    assert names(what.over) == ["p0", "p1"]
    assert what.default == found[-1]
    assert names(duties("t", by, "date", [*found, *standing("2027-01-01/2027-02-01")], TODAY).missing) == []


def test_pending_partition_is_neither_there_nor_over() -> None:
    """It comes to its end first."""
    by = ByTime(every=Every.MONTH, ahead=1, keep=1)
    half = Standing(name="half", bounds="FOR VALUES FROM ('2020-01-01') TO ('2020-02-01')", pending=True)

    what = duties("t", by, "date", [half], TODAY)

    assert names(what.pending) == ["half"]
    assert names(what.over) == []
    assert names(what.missing) == ["t_p2026_11", "t_p2026_12"]


def test_bounds_that_are_no_period_are_left_alone() -> None:
    """Somebody's own: from the beginning of time, or of other values."""
    own = [Standing(name="old", bounds="FOR VALUES FROM (MINVALUE) TO ('2026-01-01')")]

    what = duties("t", ByTime(keep=1), "date", own, TODAY)

    assert names(what.over) == []
    assert duties("t", ByHash(parts=2), "bigint", own, TODAY).missing == ()
