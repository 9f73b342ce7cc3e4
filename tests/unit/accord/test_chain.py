"""The form that audit events are hashed in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from accord.audit.chain import FIELDS, GENESIS, Link

LINK = Link(
    seq=7,
    at=datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC),
    event="erasure.planned",
    outcome="done",
    actor_kind="person",
    actor_ref="a" * 32,
    object_kind="erasure_request",
    object_ref="b" * 32,
    request_ref="c" * 32,
    counters={"found": 3, "deleted": 1},
    plan_digest="d" * 64,
    prev_hash=GENESIS,
)


def test_form_does_not_change() -> None:
    """Hashes of years ago must still come out; another form needs another version byte."""
    assert LINK.digest() == "e31ee683da01b112e6f62682211e3c8ce1d260152f41992ad1176648af73ffdf"


def test_order_of_counters_does_not_matter() -> None:
    """PostgreSQL keeps JSON in an order of its own."""
    assert replace(LINK, counters={"deleted": 1, "found": 3}).digest() == LINK.digest()


def test_time_zone_does_not_matter() -> None:
    """The same moment is the same event."""
    moved = LINK.at.astimezone(timezone(timedelta(hours=5, minutes=30)))

    assert replace(LINK, at=moved).digest() == LINK.digest()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seq", 8),
        ("at", LINK.at + timedelta(microseconds=1)),
        ("event", "erasure.approved"),
        ("outcome", "failed"),
        ("actor_kind", "system"),
        ("actor_ref", ""),
        ("object_kind", "run"),
        ("object_ref", ""),
        ("request_ref", ""),
        ("counters", {"found": 3}),
        ("plan_digest", ""),
        ("prev_hash", "0" * 64),
    ],
)
def test_every_field_is_hashed(field: str, value: Any) -> None:
    """No field can change without the hash."""
    assert field in FIELDS
    assert replace(LINK, **{field: value}).digest() != LINK.digest()


def test_a_number_is_not_what_equals_it() -> None:
    """Whoever forges `true` or `1.0` for 1 changes the hash, whichever was hashed before."""
    values: list[Any] = [1, True, 1.0, 1]
    hashes = [replace(LINK, counters={"found": value}).digest() for value in values]
    assert hashes[0] == hashes[3]
    assert len(set(hashes)) == 3


def test_nothing_moves_between_fields() -> None:
    """The end of one field is never the beginning of the next."""
    left = replace(LINK, event="ab", outcome="c")
    right = replace(LINK, event="a", outcome="bc")

    assert left.digest() != right.digest()
