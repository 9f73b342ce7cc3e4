"""Limits and delays of erasures."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accord.errors import ConfigurationError
from gdpr.cli.answers import plan_lines
from gdpr.documents import OpenFinding, PlanDraft
from gdpr.erasure import openings, policy
from gdpr.erasure.policy import ErasurePolicy, OpenFindings
from gdpr.errors import DataMapOpen


def test_four_eyes_can_not_be_turned_off() -> None:
    """There is no such setting, and an attempt is an error rather than ignored."""
    with pytest.raises(ConfigurationError):
        policy.parse({"four_eyes": False})


@pytest.mark.parametrize("value", [-1, "7", True, None])
def test_setting_must_be_a_number(value: object) -> None:
    """A value of another type is said by its name."""
    with pytest.raises(ConfigurationError, match="approval_days"):
        policy.parse({"approval_days": value})


def test_typing_mistake_is_answered_with_the_right_name() -> None:
    """A near miss is named in the hint."""
    with pytest.raises(ConfigurationError) as raised:
        policy.parse({"aproval_days": 3})

    assert "approval_days" in raised.value.hint


def test_delay_doubles_and_ends_at_an_hour() -> None:
    """Failures in a row wait longer each time, never longer than an hour."""
    rules = ErasurePolicy()

    delays = [rules.delay(failures) for failures in range(1, 13)]

    assert delays[:3] == [timedelta(seconds=30), timedelta(seconds=60), timedelta(seconds=120)]
    assert max(delays) == timedelta(hours=1)
    assert delays == sorted(delays)


@pytest.mark.parametrize(
    ("approved", "found", "fine"),
    [
        (10, 10, True),
        (10, 0, True),
        (10, 110, True),
        (10, 111, False),
        (1000, 1200, True),
        (1000, 1201, False),
    ],
)
def test_what_was_approved_may_grow_a_little(approved: int, found: int, *, fine: bool) -> None:
    """Fewer is always what was approved; more is up to the tolerance."""
    assert ErasurePolicy().tolerates(approved, found) is fine


def test_a_new_place_is_not_what_was_approved() -> None:
    """From none to some is another plan."""
    assert not ErasurePolicy().tolerates(0, 1)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("refuse", OpenFindings.REFUSE),
        ({"production": "refuse"}, OpenFindings.REFUSE),
        ({"staging": "refuse", "production": "allow"}, OpenFindings.ALLOW),
        ({"staging": "refuse"}, OpenFindings.WARN),
    ],
)
def test_open_findings_are_a_word_or_words_by_environment(value: object, expected: OpenFindings) -> None:
    """An environment that isn't named gets the default: it erases, and says what is open."""
    assert policy.parse({"open_findings": value}, environment="production").open_findings is expected
    assert policy.parse({}).open_findings is OpenFindings.WARN


@pytest.mark.parametrize("value", [False, "off", 1, None, {"staging": "off"}])
def test_word_that_nobody_knows_is_no_policy(value: object) -> None:
    """Also one for another environment: it would come to light there, on the day."""
    with pytest.raises(ConfigurationError, match="allow, warn, refuse"):
        policy.parse({"open_findings": value}, environment="production")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("never", None),
        ("always", 0),
        (0, 0),
        (5_000, 5_000),
        ({"production": "always", "staging": 7}, 0),
        ({"staging": "always", "production": 7}, 7),
        ({"staging": "always"}, None),
    ],
)
def test_retention_is_approved_above_a_number_of_rows(value: object, expected: float | None) -> None:
    """A word, a number, or such by environment; what isn't named asks for nobody."""
    read = policy.parse({"retention_approval": value}, environment="production")

    assert read.retention_approval == expected
    assert policy.parse({}).retention_approval is None


@pytest.mark.parametrize(
    "value", [-1, float("nan"), True, None, "Always", "5000", [], {"staging": "sometimes"}]
)
def test_approval_of_retention_that_nobody_understands_is_no_policy(value: object) -> None:
    """Least of all is it read as “never”; also one for another environment."""
    with pytest.raises(ConfigurationError, match="retention_approval"):
        policy.parse({"retention_approval": value}, environment="production")


def finding(message: str, name: str = "gdpr.E001") -> OpenFinding:
    return {"id": name, "store": "default", "target": "t", "entry": "", "message": message}


def drafted(*found: OpenFinding) -> PlanDraft:
    return {"schema": "", "map_digest": "", "entries": [], "open_findings": list(found)}


def test_approval_covers_what_was_open_then() -> None:
    """Less is fine, more is not; how a server reads a table at the moment says nothing."""
    one, other, slow = finding("one"), finding("other"), finding("slow", "gdpr.E004")
    earlier: PlanDraft = {"schema": "", "map_digest": "", "entries": []}

    assert openings.are_known(drafted(one), drafted(one, other))
    assert openings.are_known(drafted(one, slow), drafted(one))
    assert openings.are_known(earlier, drafted(one))
    assert not openings.are_known(drafted(one, other), drafted(one))
    assert not openings.are_known(drafted(one), earlier)


def test_only_a_refusing_policy_refuses() -> None:
    """And only where something is open; the first of it stands in the message."""
    refusing = ErasurePolicy(open_findings=OpenFindings.REFUSE)

    openings.require_none([finding("A table.")], ErasurePolicy())
    openings.require_none([], refusing)
    openings.require_none(None, refusing)
    with pytest.raises(DataMapOpen, match=r"1 open finding.*A table\."):
        openings.require_none([finding("A table.")], refusing)


def test_plan_shows_ten_of_what_is_open_and_counts_the_rest() -> None:
    """A terminal is no place for hundreds of columns; the document has them all."""
    document: Any = {**drafted(*[finding(f"Number {one}.") for one in range(12)]), "digest": "0" * 64}

    lines = list(plan_lines(document))

    assert "leaves 12 things open" in lines[-12]
    assert lines[-2] == "  Number 9. (gdpr.E001)"
    assert lines[-1] == "  ... and 2 more; see gdpr_datamap check."
