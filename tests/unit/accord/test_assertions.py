"""What an author's assertion may be, and how its answer is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accord.errors import InvalidRevision, StoreUnavailable
from accord.seam.assertions import Assertion, Moment, declared, judged


def nobody_is_lost(_: object) -> None:
    """
    Nobody is lost.

    At all.
    """


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        (None, ""), (True, ""), ("", ""), ([], ""), (iter(()), ""),
        (False, "it is false"), ("two are lost", "two are lost"), ([1], "one row breaks it"),
        ([1, 2], "2 rows break it"),
        (3, "it gave a int; return None, True, False, a text, or what breaks it"),
    ],
)  # fmt: skip
def test_answer_says_what_is_wrong(answer: object, wrong: str) -> None:
    """Nothing, True and no rows hold; what can't be read as an answer does not."""
    assert judged(Assertion(name="x", test="SELECT"), lambda _: answer) == wrong


def test_what_raises_does_not_hold() -> None:
    """What was not seen to hold counts as broken, and an error's words, which may quote a row, stay out."""

    def ask(error: Exception) -> Callable[[Any], object]:
        def raising(_: Any) -> object:
            raise error

        return raising

    assertion = Assertion(name="x", test="SELECT")
    assert judged(assertion, ask(AssertionError("lost"))) == "lost"
    assert judged(assertion, ask(ValueError("ann@example.com"))) == "it could not be asked: ValueError"
    with pytest.raises(StoreUnavailable):
        judged(assertion, ask(StoreUnavailable("away")))


def test_names_come_from_where_there_is_one() -> None:
    """A key, a docstring's first line, a function's name, the beginning of a query."""
    long = "SELECT " + "x" * 80
    listed = declared([nobody_is_lost, lambda _: True, long], Moment.AFTER, "f.py", sql=True)
    named = declared({"all there": nobody_is_lost}, Moment.AFTER, "f.py", sql=False)

    assert [item.name for item in listed[:2]] == ["Nobody is lost.", "<lambda>"]
    assert len(listed[2].name) == 60
    assert named[0].name == "all there"


@pytest.mark.parametrize("value", ["SELECT 1", 3, [3], [""], {"x": None}])
def test_what_is_no_assertion_is_refused(value: object) -> None:
    """The file and the attribute are named."""
    with pytest.raises(InvalidRevision, match="checks_before"):
        declared(value, Moment.BEFORE, "f.py", sql=True)


def test_sql_is_refused_where_a_store_speaks_none() -> None:
    """A MongoDB revision takes functions alone."""
    with pytest.raises(InvalidRevision, match="holds a str"):
        declared(["SELECT 1"], Moment.AFTER, "f.py", sql=False)
