"""Fixtures of stories: the sample project as an installation whose every file lies in a folder of its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.fix_browser import take_picture
from tests.fix_project import ROOT, Project
from tests.forks import Finished

if TYPE_CHECKING:
    from playwright.sync_api import Page

SETTINGS = "tests.projects.stories.settings"


@dataclass(frozen=True, kw_only=True)
class Installation:
    """
    A sample project that keeps what it writes, and what it says, in one folder.

    Attributes:
        project: The project.
        folder: Where its files are: logs, signed heads, attestations, temporary files, answers.
    """

    project: Project
    folder: Path
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1), repr=False)

    def under(self, **variables: str) -> Installation:
        """Give the same installation with other environment variables."""
        return replace(self, project=replace(self.project, extra={**self.project.extra, **variables}))

    def run(self, *arguments: str) -> Finished:
        """Run a command to its end, whatever that is, and keep what it said."""
        done = self.project.run(*arguments)
        self.keep(f"{arguments[0]}.txt", done.stdout + done.stderr)
        return done

    def manage(self, *arguments: str) -> str:
        """Run a command that must succeed, and give what it answered."""
        done = self.run(*arguments)
        assert done.returncode == 0, f"{arguments} exited {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def keep(self, name: str, text: str) -> Path:
        """Write a text into the folder, beside those of the same name."""
        path = self.folder / "said" / f"{next(self._numbers):03}-{name}"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def look(self, page: Page, name: str) -> None:
        """Take a picture of a page, and keep the page itself."""
        take_picture(page, name)
        self.keep(f"{name}.html", page.content())


@pytest.fixture
def install(new_project: Callable[..., Project], tmp_path: Path) -> Callable[..., Installation]:
    """Give a maker of installations with nothing but empty stores; `name` is that of the folder."""

    def make(name: str, **variables: str) -> Installation:
        folder = tmp_path / name
        (folder / "tmp").mkdir(parents=True)
        own = {
            "DJANGO_SETTINGS_MODULE": SETTINGS,
            "STORY_FOLDER": str(folder),
            "ACCORD_HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "LOG_LEVEL": "INFO",
            # Apps that a story writes lie beside the installations that use them.
            "PYTHONPATH": f"{ROOT}:{tmp_path}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        return Installation(project=new_project(**own, **variables), folder=folder)

    return make
