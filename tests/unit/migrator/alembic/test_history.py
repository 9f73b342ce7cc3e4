"""The graph of a history."""

from __future__ import annotations

from pathlib import Path

import pytest

from accord.errors import DuplicateNumber, InvalidRevision
from migrator.alembic.history import History, build
from migrator.alembic.scripts import Script
from migrator.errors import CyclicDependency, MissingDependency


def script(name: str, *down: str, needs: str = "", label: str = "") -> Script:
    return Script(
        path=Path(f"versions/{name}.py"),
        revision=name,
        down_revisions=down,
        depends_on=(needs,) if needs else (),
        branch_labels=(label,) if label else (),
    )


@pytest.fixture
def diamond() -> History:
    """Make a ← b, a ← c, and d that merges them; x stands alone and y follows it and needs c."""
    return build(
        [
            script("d", "b", "c"),
            script("a"),
            script("b", "a"),
            script("c", "a", label="side"),
            script("x"),
            script("y", "x", needs="side"),
        ]
    )


@pytest.mark.parametrize(
    ("heads", "implied"),
    [
        ((), ""),
        (("a",), "a"),
        (("b",), "ab"),
        (("b", "c"), "abc"),
        (("d",), "abcd"),
        (("y",), "acxy"),
        (("b", "gone"), "ab"),
    ],
)
def test_head_stands_for_all_that_it_needs(diamond: History, heads: tuple[str, ...], implied: str) -> None:
    """Alembic's table holds heads alone; everything below them is applied."""
    assert diamond.implied(heads) == set(implied)


@pytest.mark.parametrize("heads", [{"b", "c"}, {"d"}, {"y"}, {"b", "y"}, {"d", "y"}, set()])
def test_heads_of_what_heads_imply_are_the_heads(diamond: History, heads: set[str]) -> None:
    """Both directions agree."""
    assert set(diamond.heads_of(diamond.implied(heads))) == heads


def test_order_puts_needs_first(diamond: History) -> None:
    """No revision comes before one that it needs, labels included."""
    order = diamond.sorted()

    for revision, parents in diamond.parents.items():
        assert all(order.index(parent) < order.index(revision) for parent in parents)


def test_same_id_twice_names_both_files() -> None:
    """Two files with one id are a mistake that Alembic only warns about."""
    with pytest.raises(DuplicateNumber, match=r"versions/a\.py and other/a\.py"):
        build([script("a"), Script(path=Path("other/a.py"), revision="a")])


def test_same_label_twice_names_the_file() -> None:
    """A label belongs to one branch, and is no revision's id."""
    with pytest.raises(InvalidRevision, match=r"versions/b\.py"):
        build([script("a", label="side"), script("b", label="side")])
    with pytest.raises(InvalidRevision, match=r"versions/b\.py"):
        build([script("a"), script("b", label="a")])


@pytest.mark.parametrize("lost", [script("b", "gone"), script("b", "a", needs="gone")])
def test_missing_revision_is_named_with_the_file_that_needs_it(lost: Script) -> None:
    """A dependency that no file declares is an error before anything runs."""
    with pytest.raises(MissingDependency, match=r"versions/b\.py needs the revision gone"):
        build([script("a"), lost])


def test_circle_names_its_files() -> None:
    """Revisions that need each other can't be ordered."""
    with pytest.raises(CyclicDependency) as caught:
        build([script("a", "c"), script("b", "a"), script("c", needs="b"), script("free")])

    assert all(f"versions/{name}.py" in caught.value.message for name in "abc")
    assert "free" not in caught.value.message
