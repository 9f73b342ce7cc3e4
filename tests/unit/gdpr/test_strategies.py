"""Strategies: what they write, and that they know it again."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from gdpr.datamap.strategies import CoarseDate, Constant, Null, Pseudonym, RandomToken, Redact, Strategy

EVERY = [
    Null(),
    Constant(7),
    Constant("ZZ"),
    Redact(),
    CoarseDate(date(2020, 1, 1)),
    CoarseDate(datetime(2020, 1, 1, tzinfo=UTC)),
    RandomToken(),
    RandomToken(prefix="a.b*[x]^", suffix="@erased.invalid"),
    Pseudonym(key=b"secret"),
]


@pytest.mark.parametrize("strategy", EVERY, ids=repr)
def test_strategy_knows_its_own_value(strategy: Strategy) -> None:
    """Whatever a strategy writes is settled, so that a repeated erasure leaves it alone."""
    assert strategy.is_settled(strategy.replacement("Ada Lovelace"))


@pytest.mark.parametrize("strategy", EVERY, ids=repr)
def test_strategy_never_takes_a_persons_value_for_its_own(strategy: Strategy) -> None:
    """A name is never settled, not even one that begins like a token."""
    assert not strategy.is_settled("Ada Lovelace")
    assert not strategy.is_settled("erased-Ada")
    assert not strategy.is_settled("erased-" + "0" * 32 + " Ada")


def test_random_tokens_differ_and_come_from_chance_alone() -> None:
    """Two rows never get the same token; the same chance gives the same one, whatever the value."""
    made = {RandomToken().replacement("ada") for _ in range(100)}
    fixed = RandomToken(chance=lambda size: "0" * 2 * size)

    assert len(made) == 100
    assert fixed.replacement("ada") == fixed.replacement("grace")


@pytest.mark.parametrize("strategy", EVERY, ids=repr)
def test_only_the_pseudonym_can_be_undone(strategy: Strategy) -> None:
    """A keyed hash says that it can be undone; everything else can't."""
    assert strategy.irreversible is not isinstance(strategy, Pseudonym)


def test_description_holds_no_secret() -> None:
    """The key of a pseudonym is in no description, and two declarations are told apart."""
    assert "secret" not in Pseudonym(key=b"secret").describe()
    assert RandomToken(prefix="a").describe() != RandomToken(prefix="b").describe()
    assert RandomToken().describe() == RandomToken().describe()


def test_longest_is_the_length_of_what_is_written() -> None:
    """The length that is held against a column is that of the value."""
    token = RandomToken(suffix="@erased.invalid")

    assert token.longest == len(str(token.replacement("")))
    assert Pseudonym(key=b"k").longest == len(str(Pseudonym(key=b"k").replacement("x")))
