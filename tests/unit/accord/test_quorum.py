"""How many persons have to say yes, and out of which groups."""

from __future__ import annotations

import itertools

import pytest

from accord.approvals.quorum import ONE, parse
from accord.errors import ConfigurationError
from tests.chance import chance

PLACE = "ACCORD['POLICY']['production']['approvals']"


def words(value: object, **groups: set[str]) -> str:
    return parse(value, PLACE).standing(groups).words


def test_number_asks_for_different_persons() -> None:
    """Of whatever group, or of none."""
    assert words(2) == "0 of 2"
    assert words(2, ben={"dba"}) == "1 of 2"
    assert parse(2, PLACE).standing({"ben": set(), "eve": {"dba"}}).is_enough
    assert parse(1, PLACE) == ONE


def test_groups_say_whose_yes_is_missing() -> None:
    """Somebody of neither group brings nothing on; nor does the second of one."""
    asked = {"dba": 1, "security": 1}

    assert words(asked) == "0 of 2; dba, security are missing"
    assert words(asked, ben={"security"}) == "1 of 2; dba is missing"
    assert words(asked, ben={"security"}, eve={"security"}) == "1 of 2; dba is missing"
    assert words(asked, ben=set()) == "0 of 2; dba, security are missing"
    assert words(asked, ben={"security"}, eve={"dba"}) == "2 of 2"


def test_person_of_two_groups_counts_once_where_they_are_needed() -> None:
    """Whoever came first moves to the other place, if they may have it; alone they are one person."""
    asked = {"dba": 1, "security": 1}

    assert words(asked, both={"dba", "security"}) == "1 of 2; security is missing"
    assert words(asked, both={"dba", "security"}, ben={"dba"}) == "2 of 2"
    assert words(asked, ben={"dba"}, both={"dba", "security"}) == "2 of 2"


def test_as_many_places_are_taken_as_any_order_of_people_could_take() -> None:
    """Held against trying every order, for random groups."""
    source = chance("places of a quorum")
    for _ in range(200):
        asked = {name: source.randint(1, 2) for name in source.sample("xyz", source.randint(1, 3))}
        places = [name for name, count in asked.items() for _ in range(count)]
        people = {str(number): set(source.sample("xyz", source.randint(0, 3))) for number in range(6)}
        orders = itertools.permutations(people, len(places))
        best = max(sum(map(set.__contains__, (people[one] for one in order), places)) for order in orders)

        assert parse(asked, PLACE).standing(people).given == best, (asked, people)


@pytest.mark.parametrize("value", [0, -1, True, 1.5, "2", {}, {"": 1}, {"dba": 0}, {"dba": True}, [1], None])
def test_what_can_not_be_meant_is_refused(value: object) -> None:
    """Never fewer than one, and nothing that is guessed at."""
    with pytest.raises(ConfigurationError, match="approvals"):
        parse(value, PLACE)
