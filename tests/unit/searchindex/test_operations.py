"""What operations refuse and show without any server."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import searchindex as search
from accord.errors import InvalidRevision
from accord.seam.types import Direction, StepKey
from searchindex.context import Deployment
from searchindex.names import Names, checked, number_of
from searchindex.operations.base import Operation

AROUND = Deployment(key=StepKey("search", "music", "0004_tracks"), names=Names("t-"), engine=None)


@pytest.mark.parametrize("name", ["", "Tracks", "-tracks", "_tracks", "a*", "a b", "a,b", "a/b", "a:b"])
def test_name_that_a_server_refuses_is_refused_first(name: str) -> None:
    """Before anything is sent."""
    with pytest.raises(InvalidRevision):
        checked(name)


def test_physical_index_is_named_after_alias_and_revision() -> None:
    """Deterministic, so that a repeated step meets its own work."""
    assert AROUND.physical("tracks") == "t-tracks-0004"
    assert number_of("0004_tracks") == "0004"


@pytest.mark.parametrize(
    "make",
    [
        lambda: search.PutTemplate("plays", ["plays-*"], priority=499),
        lambda: search.PutTemplate("plays", []),
        lambda: search.PutTemplate("plays", "plays-*"),
        lambda: search.Reindex("tracks", strategy="hope"),
        lambda: search.CreateIndex("Tracks"),
    ],
)
def test_operation_that_can_not_be_is_refused(make: Callable[[], Operation]) -> None:
    """A revision that can't work fails while it is read."""
    with pytest.raises(InvalidRevision):
        make()


@pytest.mark.parametrize(
    ("operation", "reversible"),
    [
        (search.CreateIndex("tracks"), True),
        (search.DropIndex("tracks"), False),
        (search.PutMapping("tracks", {}), False),
        (search.PutMapping("tracks", {}, leave_on_revert=True), True),
        (search.RunPython(print), False),
        (search.RunPython(print, search.RunPython.nothing), True),
        (search.Reindex("tracks"), True),
    ],
)
def test_what_can_not_be_undone_says_so(operation: Operation, reversible: object) -> None:
    """The reason is there before a revert begins."""
    assert (not operation.irreversible) is reversible


@pytest.mark.parametrize(
    ("operation", "first"),
    [
        (search.CreateIndex("tracks"), "PUT /t-tracks-0004"),
        (search.DropIndex("tracks", number="0001"), "DELETE /t-tracks-0001"),
        (search.PutMapping("tracks", {"properties": {}}), "PUT /t-tracks/_mapping"),
        (search.PutSettings("tracks", {"refresh_interval": "1s"}), "PUT /t-tracks/_settings"),
        (search.AddAlias("songs", "tracks"), "POST /_aliases"),
        (search.SwitchAlias("songs", "tracks"), "POST /_aliases"),
        (search.RemoveAlias("songs"), "POST /_aliases"),
        (search.PutTemplate("plays", ["plays-*"]), "PUT /_index_template/t-plays"),
        (search.DeleteTemplate("plays"), "DELETE /_index_template/t-plays"),
        (search.Reindex("tracks"), "PUT /<index behind t-tracks>/_block/write"),
        (search.RunPython(print), "Calls print()"),
    ],
)
def test_explain_names_the_request(operation: Operation, first: str) -> None:
    """Method and path come first, then the body."""
    statements = list(operation.explain(AROUND, Direction.APPLY))

    assert statements[0].text.startswith(first)
    assert isinstance(list(operation.explain(AROUND, Direction.REVERT)), list)


def test_template_body_carries_the_prefix() -> None:
    """Patterns and aliases of a template belong to the store's own names."""
    operation = search.PutTemplate("plays", ["plays-*"], {"aliases": {"all-plays": {}}})

    (statement,) = operation.explain(AROUND, Direction.APPLY)

    assert '"t-plays-*"' in statement.text
    assert '"t-all-plays"' in statement.text


def test_importing_the_store_leaves_the_full_client_alone() -> None:
    """A run with nothing to do must not pay for it."""
    import subprocess
    import sys

    probe = "import sys, searchindex.store; print([n for n in sys.modules if n.startswith('elastic')])"
    found = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"
