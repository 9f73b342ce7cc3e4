"""SECURITY.md: against whom each promise holds, and what isn't promised, in a row for each."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
WHOM = (
    "sets variables of a shell",
    "an account of the project",
    "a program with a token",
    "a person of the data",
    "the application's database user",
    "owner of the tables",
    "has `SECRET_KEY`",
    "restores a backup",
    "reads disks",
    "has the register of erasures",
    "writes text that others read",
)


def rows() -> dict[str, tuple[str, str]]:
    table = PAGE.partition("## Whom it holds against")[2].partition("\n## ")[0]
    found = re.findall(r"^\| (.+?) \| (.+?) \|(?: (.*?))? ?\|$", table, re.MULTILINE)
    return {who: (holds, not_held.strip()) for who, holds, not_held in found[2:]}


def test_each_row_says_what_holds_and_what_does_not() -> None:
    """Of whoever only writes text nothing else is to be feared; of everybody else it is said what is left."""
    found = rows()

    assert all(any(whom in who for who in found) for whom in WHOM), sorted(found)
    assert all(holds for holds, _ in found.values())
    assert [who for who, (_, not_held) in found.items() if not not_held] == [
        "whoever writes text that others read"
    ]


def test_pages_that_it_leads_to_are_there() -> None:
    """A promise that is explained elsewhere is explained somewhere."""
    linked = [target.partition("#")[0] for target in re.findall(r"\]\(([^)]+)\)", PAGE)]

    assert [target for target in linked if "://" not in target and not (ROOT / target).exists()] == []
    assert len(linked) > 2
