"""What a replica set says of itself, judged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accord.health.runner import Level
from mongo_migrations.health_checks import judge

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = {1: "PRIMARY", 2: "SECONDARY", 8: "(not reachable/healthy)"}


def status(*members: tuple[int, float]) -> dict[str, object]:
    """Make an answer out of states and seconds behind."""
    return {
        "set": "rs0",
        "members": [
            {
                "name": f"m{number}",
                "state": state,
                "stateStr": NAMES[state],
                "optimeDate": NOW - timedelta(seconds=lag),
            }
            for number, (state, lag) in enumerate(members)
        ],
    }


@pytest.mark.parametrize(
    ("members", "level"),
    [
        ([(1, 0)], Level.OK),
        ([(1, 0), (2, 1), (2, 3)], Level.OK),
        ([(1, 0), (2, 1), (2, 60)], Level.WARN),
        ([(1, 0), (2, 1), (8, 0)], Level.WARN),
        ([(2, 0), (8, 0), (8, 0)], Level.CRITICAL),
    ],
)
def test_replica_set_is_judged_by_primary_members_and_lag(
    members: list[tuple[int, float]], level: Level
) -> None:
    """Without a primary nothing can be written; a missing or late member is a warning."""
    assert judge("replica.mongodb", status(*members)).level is level


def test_a_server_without_a_replica_set_has_nothing_to_tell() -> None:
    """Whether one is required is decided where the store is asked."""
    assert judge("replica.mongodb", {}).level is Level.OK
