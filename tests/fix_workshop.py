"""Fixtures of a small project whose revision files a test writes itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from tests.fix_postgres import rows_of
from tests.forks import run_python

ROOT = Path(__file__).resolve().parent.parent
HEADS = {
    "mongo_migrations": "import mongo_migrations as base\n",
    "search_migrations": "import searchindex as base\n",
    "migrations": "from django.db import migrations, models\n",
}


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """
    A project with the app `workshop` in a folder of its own, on stores of its own.

    Attributes:
        folder: Where the app's package is.
        variables: Addresses of the stores.
    """

    folder: Path
    variables: Mapping[str, str] = field(repr=False)

    def write(self, name: str, body: str) -> Path:
        """
        Write a revision.

        Args:
            name: Its path below the app, such as `mongo_migrations/0001_first.py`.
            body: Its text below the imports.
        """
        path = self.folder / "workshop" / name
        path.parent.mkdir(exist_ok=True)
        (path.parent / "__init__.py").touch()
        path.write_text(HEADS.get(path.parent.name, "") + textwrap.dedent(body))
        return path

    def mongo(self, name: str, collection: str, needs: str = "", more: str = "") -> Path:
        """Write a MongoDB revision that makes a collection."""
        dependencies = f'[("workshop", "{needs}")]' if needs else "[]"
        return self.write(
            f"mongo_migrations/{name}.py",
            f"""
            class Migration(base.Migration):
                dependencies = {dependencies}
                {more}
                operations = [base.CreateCollection("{collection}")]
            """,
        )

    def django(self, name: str, model: str, needs: str = "", more: str = "") -> Path:
        """Write a Django migration that makes a model."""
        dependencies = f'[("workshop", "{needs}")]' if needs else "[]"
        return self.write(
            f"migrations/{name}.py",
            f"""
            class Migration(migrations.Migration):
                dependencies = {dependencies}
                {more}
                operations = [
                    migrations.CreateModel("{model}", [("id", models.BigAutoField(primary_key=True))]),
                ]
            """,
        )

    @property
    def environment(self) -> dict[str, str]:
        """What its commands find in their environment."""
        return {
            **os.environ,
            **self.variables,
            "DJANGO_SETTINGS_MODULE": "tests.projects.workshop.settings",
            "PYTHONPATH": f"{ROOT}{os.pathsep}{self.folder}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command; its answer and what it says can be read while it runs."""
        return subprocess.Popen(
            [sys.executable, "-m", "django", *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask its PostgreSQL; no rows while the table is not there."""
        with suppress(psycopg2.errors.UndefinedTable):
            return rows_of(self.variables["DATABASE_URL"], query)
        return []

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, whatever that is; further variables go to its environment."""
        return run_python(
            ("-m", "django", *arguments), env={**self.environment, **variables}, cwd=Path.cwd(), timeout=120
        )

    def answer(self, *arguments: str) -> Any:
        """Run a command that must succeed, and read its JSON document."""
        done = self.run(*arguments, "--format", "json")
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def workshop(tmp_path: Path, new_database: Callable[[], str], mongo_url: str) -> Workshop:
    """Give an empty app on an empty PostgreSQL and an empty MongoDB."""
    (tmp_path / "workshop").mkdir()
    (tmp_path / "workshop" / "__init__.py").touch()
    return Workshop(folder=tmp_path, variables={"DATABASE_URL": new_database(), "MONGODB_URL": mongo_url})
