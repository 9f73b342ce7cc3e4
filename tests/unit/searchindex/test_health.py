"""Where aliases should point, told from revisions, and how a cluster is judged."""

from __future__ import annotations

import pytest

from accord.health.runner import Level
from accord.seam.types import StepKey
from searchindex.context import Deployment
from searchindex.expected_aliases import ExpectedAliases
from searchindex.health_checks import judge_aliases, judge_cluster
from searchindex.names import Names
from searchindex.operations.alias import AddAlias, RemoveAlias, SwitchAlias
from searchindex.operations.base import Operation
from searchindex.operations.drop import DropIndex
from searchindex.operations.index import CreateIndex
from searchindex.operations.reindex import Reindex

MAPPINGS = {"properties": {"title": {"type": "text"}}}


def after(*operations: Operation) -> ExpectedAliases:
    """Follow operations, each a revision of its own: 0001, 0002, ..."""
    expected = ExpectedAliases()
    for number, operation in enumerate(operations, start=1):
        key = StepKey("search", "streaming", f"{number:04}_step")
        expected.follow(operation, Deployment(key=key, names=Names("p-"), engine=None))
    return expected


def create(name: str) -> CreateIndex:
    """Make the operation that makes an index."""
    return CreateIndex(name, mappings=MAPPINGS)


def test_a_reindex_takes_every_alias_along() -> None:
    """What stood behind several aliases is replaced behind all of them."""
    expected = after(
        create("tracks"),
        create("venues"),
        AddAlias("everything", to="tracks"),
        AddAlias("everything", to="venues"),
        Reindex("tracks", mappings=MAPPINGS),
    )

    assert expected.aliases == {
        "p-tracks": {"p-tracks-0005"},
        "p-venues": {"p-venues-0002"},
        "p-everything": {"p-tracks-0005", "p-venues-0002"},
    }


def test_switched_removed_and_dropped_aliases_are_followed() -> None:
    """An alias goes with the index that it alone pointed at."""
    expected = after(
        create("old"),
        create("new"),
        AddAlias("box", to="old"),
        SwitchAlias("box", to="new"),
        AddAlias("spare", to="old"),
        RemoveAlias("spare"),
        DropIndex("old"),
    )

    assert expected.aliases == {"p-new": {"p-new-0002"}, "p-box": {"p-new-0002"}}


@pytest.mark.parametrize(
    ("live", "level"),
    [
        ({"p-tracks-0002"}, Level.OK),
        ({"p-tracks-0001"}, Level.CRITICAL),
        (set(), Level.CRITICAL),
        ({"p-tracks-0002", "p-tracks-0001"}, Level.CRITICAL),
        ({"tracks_of_2019"}, Level.OK),
        ({"p-tracks-0003"}, Level.OK),
    ],
)
def test_alias_may_point_at_the_newest_an_adopted_or_a_coming_index(live: set[str], level: Level) -> None:
    """An older index of ours behind an alias means that a restore or a person moved it back."""
    expected = after(create("tracks"), Reindex("tracks", mappings=MAPPINGS))
    expected.coming = {"p-tracks-0003"}

    assert judge_aliases("aliases.search", expected, {"p-tracks": live}).level is level


@pytest.mark.parametrize(
    ("status", "nodes", "blocked", "level"),
    [
        ("green", 3, [], Level.OK),
        ("yellow", 1, [], Level.OK),
        ("yellow", 3, [], Level.WARN),
        ("red", 3, [], Level.CRITICAL),
        ("green", 1, ["tracks-0001"], Level.CRITICAL),
    ],
)
def test_cluster_is_judged_by_status_and_blocks(
    status: str, nodes: int, blocked: list[str], level: Level
) -> None:
    """Missing copies are a warning where there is room for them; a read-only index is an outage."""
    answer = {"status": status, "number_of_nodes": nodes, "unassigned_shards": 0}

    assert judge_cluster("cluster.search", answer, blocked).level is level
