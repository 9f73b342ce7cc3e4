"""Fixtures of a site that somebody else made with `startproject`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.fix_workshop import ROOT


@dataclass(frozen=True, kw_only=True)
class Came:
    """
    What came of an act.

    Attributes:
        code: Exit code of the command, or status of the page.
        said: All that it wrote.
    """

    code: int
    said: str


@dataclass(frozen=True, kw_only=True)
class Visited:
    """
    What came of all acts of a process.

    Attributes:
        came: In the order of the acts.
        loaded: Every module that was imported.
    """

    came: list[Came]
    loaded: Collection[str]


Visit = Callable[..., Visited]


@pytest.fixture
def visit() -> Visit:
    """Give what starts the site once, told what it is like, and does some things there."""

    def start(
        *acts: str, database_url: str = "", variables: Mapping[str, str] | None = None, **told: Any
    ) -> Visited:
        done = subprocess.run(
            [sys.executable, "-m", "tests.projects.stranger.visit", *acts],
            cwd=ROOT,
            env={
                **os.environ,
                **(variables or {}),
                "DJANGO_SETTINGS_MODULE": "tests.projects.stranger.settings",
                "DATABASE_URL": database_url,
                "STRANGER": json.dumps(told),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        found = json.loads(done.stdout)
        came = [Came(code=each["code"], said=each["said"]) for each in found["acts"]]
        return Visited(came=came, loaded=frozenset(found["loaded"]))

    return start
