"""Limits and delays of erasures."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accord.errors import ConfigurationError
from gdpr.erasure import policy
from gdpr.erasure.policy import ErasurePolicy


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
