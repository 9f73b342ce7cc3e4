"""Fixtures of Wagtail's whole history: a database that Django's own `migrate` made, copied for each test."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.fix_postgres import execute
from tests.fix_sample import copy_postgres
from tests.forks import run_python

ROOT = Path(__file__).resolve().parent.parent


def wagtail(url: str, *arguments: str) -> str:
    """Run Python with the settings of the Wagtail site, which must succeed, and give what it said."""
    env = {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "tests.projects.wagtail_accord.settings",
        "PYTHONPATH": str(ROOT),
    }
    done = run_python(arguments, env=env, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def wagtail_template(postgres_url: str) -> Iterator[str]:
    """Have Django migrate a database."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    execute(postgres_url, f"CREATE DATABASE {name} TEMPLATE template0")
    url = urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))
    wagtail(url, "-m", "django", "migrate", "--verbosity", "0")
    yield url
    execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def by_django(wagtail_template: str, new_database: Callable[[], str]) -> str:
    """Give a database of the test's own as Django's `migrate` leaves it."""
    url = new_database()
    copy_postgres(wagtail_template, url)
    return url
