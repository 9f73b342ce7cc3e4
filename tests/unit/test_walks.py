"""The page that walks a newcomer through the code names rooms and functions that are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/explanation/two-walks.md"
CODE = re.compile(r"`([^`]+)`")
ROW = re.compile(r"\| \d")
MOST_ROOMS = 10


def walks() -> list[list[list[str]]]:
    """Read each walk's rows, as cells."""
    parts = PAGE.read_text(encoding="utf-8").split("\n## ")[1:]
    rows = [
        [line.split("|")[2:4] for line in part.splitlines() if re.match(r"\| \d", line)] for part in parts
    ]
    return [each for each in rows if each]


STAYS = [(room, function) for walk in walks() for room, function in walk]


def defined(path: Path) -> set[str]:
    """Return the names that a file, or the files of a folder, define."""
    files = [path] if path.is_file() else sorted(path.glob("*.py"))
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def test_walks_stay_short() -> None:
    """Two walks, each through fewer than ten rooms."""
    assert [0 < len(walk) < MOST_ROOMS for walk in walks()] == [True, True]


@pytest.mark.parametrize(("room", "function"), STAYS)
def test_stay_is_in_the_code(room: str, function: str) -> None:
    """Every function that a row names is defined in the room of that row."""
    places = CODE.findall(room)
    folder = ROOT / Path(places[0]).parent
    found = [path for path in (ROOT / places[0], *(folder / each for each in places[1:])) if path.exists()]
    found += [ROOT / each for each in places[1:] if (ROOT / each).exists()]
    names = {part for name in CODE.findall(function) for part in name.split("[")[0].split(".")}

    assert found
    assert names <= set.union(*(defined(path) for path in found))
