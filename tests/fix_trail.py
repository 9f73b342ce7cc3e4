"""Fixtures of the audit trail and the tombstones: a database of their own, and processes that write to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import environ
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connections, transaction
from django.db.models import Model
from django.test import override_settings
from pytest_django.fixtures import Settings
from pytest_django.plugin import DjangoDbBlocker

from accord import conf
from accord.audit import trail as audit
from accord.audit.events import EventKind, ObjectKind
from tests.fix_postgres import execute, rows_of
from tests.fix_sample import copy_postgres

ROOT = Path(__file__).resolve().parent.parent
WRITER = ROOT / "tests" / "integration" / "audit" / "writer.py"


@dataclass(frozen=True)
class Trail:
    """
    A database with the kernel's tables, known to Django and configured as the coordinator.

    Attributes:
        alias: Its name in Django.
        url: Its address.
        file: The file of signed heads.
        started: Processes to end with the test.
        grown: Addresses of databases with tables of further apps, made once for each worker.
    """

    alias: str
    url: str
    file: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)
    grown: dict[tuple[str, ...], str] = field(default_factory=dict)

    def with_tables(self, *apps: str) -> Trail:
        """Put the tables of further apps into the database, which nothing was written to yet."""
        which = (*settings.DATABASE_ROUTERS, *apps)
        if which in self.grown:
            connections[self.alias].close()
            copy_postgres(self.grown[which], self.url)
            return self
        for app in apps:
            call_command("migrate", app, database=self.alias, verbosity=0, skip_checks=True)
        connections[self.alias].close()
        template = urlunsplit(urlsplit(self.url)._replace(path=f"/grown_{uuid.uuid4().hex[:12]}"))
        copy_postgres(self.url, template)
        self.grown[which] = template
        return self

    def record(self, count: int = 1, **extra: Any) -> int:
        """Write events, each in a transaction of its own."""
        seq = 0
        for number in range(count):
            with transaction.atomic(using=self.alias):
                seq = audit.record(
                    EventKind.ERASURE_PLANNED,
                    actor=audit.SYSTEM,
                    object_kind=ObjectKind.ERASURE_REQUEST,
                    counters={"found": number},
                    **extra,
                )
        return seq

    def sql(self, *statements: str) -> None:
        """Send statements as the owner of everything."""
        execute(self.url, *statements)

    def attack(self, *statements: str) -> None:
        """Send statements as a superuser who knows of the triggers, and puts them back afterwards."""
        self.sql("SET session_replication_role = replica; " + "; ".join(statements))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the database."""
        return rows_of(self.url, query)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a process that writes events."""
        options = {"url": self.url, "secret": settings.SECRET_KEY, "file": str(self.file)}
        self.started.append(
            subprocess.Popen(
                [sys.executable, str(WRITER), json.dumps(options), *arguments],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE,
                stdin=subprocess.PIPE,
                text=True,
            )
        )
        return self.started[-1]


class CoordinatorRouter:
    """Sends the kernel's models, and what the admin asks about them, to the coordinator."""

    LABELS = frozenset({"accord", "contenttypes"})

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        return conf.load().coordinator if model._meta.app_label in self.LABELS else None

    db_for_write = db_for_read


@contextmanager
def known_to_django(alias: str, url: str) -> Iterator[None]:
    """Give Django a database for as long as this lasts."""
    connections.settings[alias] = connections.configure_settings(
        {"default": {}, alias: environ.Env.db_url_config(url)}
    )[alias]
    yield
    connections[alias].close()
    del connections[alias]
    del connections.settings[alias]


@pytest.fixture(scope="session")
def trail_template(postgres_url: str, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """Make a database with the kernel's tables, once for each worker, and give its address."""
    alias = f"template_{uuid.uuid4().hex[:12]}"
    url = urlunsplit(urlsplit(postgres_url)._replace(path=f"/{alias}"))
    execute(postgres_url, f"CREATE DATABASE {alias} TEMPLATE template0")
    changes = {
        "ACCORD": {**settings.ACCORD, "COORDINATOR": alias},
        "DATABASE_ROUTERS": [f"{__name__}.CoordinatorRouter"],
    }
    with django_db_blocker.unblock(), override_settings(**changes), known_to_django(alias, url):
        call_command("migrate", "accord", database=alias, verbosity=0, skip_checks=True)
    yield url
    execute(postgres_url, f"DROP DATABASE {alias} WITH (FORCE)")


@pytest.fixture(scope="session")
def grown_trails(postgres_url: str) -> Iterator[dict[tuple[str, ...], str]]:
    """Keep the databases with tables of further apps."""
    made: dict[tuple[str, ...], str] = {}
    yield made
    for url in made.values():
        execute(postgres_url, f"DROP DATABASE {urlsplit(url).path.strip('/')} WITH (FORCE)")


@pytest.fixture
def trail(
    postgres_url: str,
    trail_template: str,
    grown_trails: dict[tuple[str, ...], str],
    settings: Settings,
    tmp_path: Path,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Trail]:
    """Give an empty audit trail. Its database's name doesn't begin with test_, as no real one does."""
    alias = f"trail_{uuid.uuid4().hex[:12]}"
    url = urlunsplit(urlsplit(postgres_url)._replace(path=f"/{alias}"))
    copy_postgres(trail_template, url)
    made = Trail(alias=alias, url=url, file=tmp_path / "heads.jsonl", grown=grown_trails)
    settings.ACCORD = {**settings.ACCORD, "COORDINATOR": alias, "AUDIT_CHECKPOINTS": str(made.file)}
    settings.DATABASE_ROUTERS = [f"{__name__}.CoordinatorRouter"]
    with django_db_blocker.unblock(), known_to_django(alias, url):
        yield made
    for process in made.started:
        process.kill()
        process.communicate()
    execute(postgres_url, f"DROP DATABASE {alias} WITH (FORCE)")
