"""Migrations that are written as text, and what lint finds in them."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest

from accord.seam.types import Phase, Source, Step, StepKey
from migrator.lint import registry
from migrator.lint.finding import Finding, Severity
from migrator.lint.linter import Linter, Report
from migrator.lint.reading import django as of_django
from migrator.relational.loader import DiskLoader, Name

TODAY = date(2026, 7, 1)
_HEAD = '''"""{doc}"""

from django.contrib.postgres.operations import *
from django.contrib.postgres.constraints import *
from django.db import migrations, models
from django.db.models.functions import *

{above}

class Migration(migrations.Migration):
    dependencies = {needs}
{body}
'''
ROOM = """operations = [
    migrations.CreateModel("Owner", [("id", models.BigAutoField(primary_key=True))]),
    migrations.CreateModel(
        "Room",
        [
            ("id", models.BigAutoField(primary_key=True)),
            ("name", models.CharField(max_length=40)),
            ("code", models.CharField(max_length=40, null=True)),
            ("size", models.IntegerField(default=0)),
        ],
    ),
]"""


class Workbench:
    """
    Writes migrations, of the app `shop` unless another is said, and has them looked at.

    Args:
        folder: Where their files go.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.written: dict[Name, Any] = {}
        self.phases: dict[Name, Phase] = {}

    def write(
        self, body: str, *, name: str = "", above: str = "", doc: str = "What it does.", app: str = "shop"
    ) -> Name:
        """Write a migration that follows the last one: operations, or a whole body of the class."""
        number = len(self.written) + 1
        name = name or f"{number:04}_step"
        text = body if "operations =" in body else f"operations = [\n{indent(dedent(body), '    ')}\n]"
        last = list(self.written)[-1:]
        path = self.folder / f"{name}.py"
        path.write_text(
            _HEAD.format(doc=doc, above=dedent(above), needs=last, body=indent(dedent(text), "    "))
        )
        key = (app, name)
        self.written[key] = _loaded(path).Migration(name, app)
        self.phases[key] = Phase(getattr(self.written[key], "phase", Phase.EXPAND))
        return key

    def look(
        self,
        *names: Name,
        release: Sequence[Name] = (),
        severities: Mapping[str, Severity] | None = None,
        eases: bool = False,
    ) -> Report:
        """Have migrations looked at; the last one unless some are named."""
        chosen = names or tuple(self.written)[-1:]
        steps = {name: self._step(name) for name in chosen}
        subjects = of_django.read("default", _Disk(self.written), steps, release, eases=eases)
        return Linter(registry.rules({}), severities or {}, TODAY).look(subjects)

    def _step(self, name: Name) -> Step:
        path = self.folder / f"{name[1]}.py"
        return Step(key=StepKey("default", *name), source=Source(path), phase=self.phases[name])


class _Disk(DiskLoader):
    """Migrations that stand in no installed app."""

    def __init__(self, written: Mapping[Name, Any]) -> None:
        self._written = dict(written)
        super().__init__()

    def load_disk(self) -> None:
        self.disk_migrations = self._written
        self.unmigrated_apps = set()
        self.migrated_apps = {app for app, _ in self._written}


def _loaded(path: Path) -> Any:
    name = f"_lint_{path.parent.name}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def workbench(tmp_path: Path) -> Iterator[Workbench]:
    before = set(sys.modules)
    yield Workbench(tmp_path)
    for name in set(sys.modules) - before:
        if name.startswith("_lint_"):
            del sys.modules[name]


Lint = Callable[..., Sequence[Finding]]


@pytest.fixture
def lint(workbench: Workbench) -> Lint:
    """Return a function that looks at one migration on tables that stand, and gives the findings."""

    def look(
        body: str, *, above: str = "", severities: Mapping[str, Severity] | None = None
    ) -> Sequence[Finding]:
        if not workbench.written:
            workbench.write(ROOM)
        workbench.write(body, above=above)
        return workbench.look(severities=severities).findings

    return look
