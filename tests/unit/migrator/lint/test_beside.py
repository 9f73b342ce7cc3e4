"""Code that changes together with a migration: told where somebody asks what changed, and turned it on."""

from __future__ import annotations

from pathlib import Path

import pytest

from accord.seam.types import Source, Step, StepKey
from accord.testing import MemoryStore
from migrator.lint import looking, registry
from migrator.lint.finding import Severity
from migrator.lint.linter import Linter
from migrator.lint.looking import Wanted
from tests.fix_lint import TODAY

FILE = "shop/mongo_migrations/0001_a_name.py"
ON = {"code-beside": Severity.WARNING}


def told(folder: Path, *changed: str, severities: dict[str, Severity] | None = None) -> list[str]:
    """Lint a revision that changed together with some files."""
    path = folder / FILE
    path.parent.mkdir(parents=True)
    path.write_text('"""What it does."""\n')
    key = StepKey("mem", "shop", "0001_a_name")
    store = MemoryStore("mem", [Step(key=key, source=Source(path))])
    wanted = Wanted(files={(folder / name).resolve() for name in (FILE, *changed)})
    linter = Linter(registry.rules({}), ON if severities is None else severities, TODAY)
    found = linter.look(looking.subjects({"mem": store}, wanted)).findings
    return [one.text for one in found if one.rule == "code-beside"]


def test_code_of_the_app_is_named(tmp_path: Path) -> None:
    """The first of it, and how much more there is."""
    assert told(tmp_path, "shop/views.py", "shop/api/lists.py", "shop/notes.md") == [
        "Code of its app changes together with it: api/lists.py and 1 more file."
    ]


@pytest.mark.parametrize(
    "name",
    [
        *("shop/models.py", "shop/models/room.py", "shop/documents.py", "shop/tests/test_room.py"),
        *("shop/test_views.py", "shop/mongo_migrations/0002_more.py", "shop/migrations/0002_more.py"),
        *("rooms/views.py", "shop/README.md", "shopping/views.py"),
    ],
)
def test_what_belongs_to_a_migration_or_to_another_app_may_come_with_it(tmp_path: Path, name: str) -> None:
    """Models are what makemigrations goes by; tests and other apps break nothing."""
    assert told(tmp_path, name) == []


def test_nobody_is_told_who_does_not_ask(tmp_path: Path) -> None:
    """Most projects deploy both at once, in their order."""
    assert told(tmp_path, "shop/views.py", severities={}) == []
