"""Fixtures of erasures: the sample project with people in every store, and two persons of staff."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import psycopg2
import pytest
from pymongo import MongoClient

from tests.fix_project import Project
from tests.fix_sample import Sample
from tests.forks import Finished

PASSWORD = "only-for-one-test"
SETUP = """
import django; django.setup()
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from accord.acting import signed_in
for name in ("filer", "approver", "nobody"):
    user = get_user_model().objects.create_user(name, password="{password}", is_staff=True)
    if name != "nobody":
        user.user_permissions.set(Permission.objects.filter(content_type__app_label="gdpr"))
# Whoever runs the tests acts where nobody is named: an operator, who carries out and decides nothing.
operator = get_user_model().objects.create_user(signed_in())
operator.user_permissions.set(
    Permission.objects.filter(codename__in=("add_erasurerequest", "execute_erasurerequest", "export_person"))
)
"""
PRELUDE = """
import json, sys
import django; django.setup()
from django.contrib.auth import get_user_model
from gdpr.datamap.map import load_data_map
from gdpr.models import *
from gdpr.erasure import (
    approvals, batches, encryption, holds, planning, receipts, requests, saga, schedule,
    request_keys, state_changes, steps, verification,
)
from gdpr.erasure import encryption as sealing, saga as erasure, state_changes as moving
from gdpr import processing
from gdpr.consent import register as consent
from gdpr.stores.base import opened_stores
from gdpr.states import *
filer, approver = (get_user_model().objects.get(username=name) for name in ("filer", "approver"))
def keys(key): return load_data_map().resolve(str(key), "id")
def planned(key):
    request = requests.file_request(
        keys(key), by=filer, channel=Channel.COMMAND, identity=IdentityMethod.STAFF
    )
    planning.plan(request)
    return ErasureRequest.objects.get(pk=request.pk)
def approved(key):
    request = planned(key)
    approvals.approve(request, by=approver, digest=request.plan_digest)
    return ErasureRequest.objects.get(pk=request.pk)
def begun(key):
    request = approved(key)
    with opened_stores() as stores:
        for phase in (saga.start, saga.begin):
            done = phase([request.pk], stores)
            assert done == (set(), {}), done
    return ErasureRequest.objects.get(pk=request.pk)
def say(value): print(json.dumps(value, default=str))
"""


@dataclass(frozen=True)
class Erasing:
    """
    The sample project, and what tests of erasures ask of it.

    Attributes:
        project: The project.
    """

    project: Project

    def erase(self, *arguments: str, program: tuple[str, ...] = ("manage.py",), **env: str) -> Finished:
        """Run gdpr_erase without questions."""
        return self.command("gdpr_erase", *arguments, "--noinput", program=program, **env)

    def command(self, *arguments: str, program: tuple[str, ...] = ("manage.py",), **env: str) -> Finished:
        """Run a command, with the password of whoever acts, and further environment variables."""
        return self._with(env).run(*arguments, program=program)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command and give its process."""
        return self._with({}).start(*arguments)

    def _with(self, env: Mapping[str, str]) -> Project:
        return replace(self.project, extra={**self.project.extra, "ACCORD_PASSWORD": PASSWORD, **env})

    def call(self, code: str, **env: str) -> Any:
        """Run code on the services in a process of its own, and give what it said."""
        done = self._with(env).run("-c", PRELUDE + code, program=())
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or "null")

    def reference(self, code: str) -> str:
        """Run code that ends in a request, and give its reference."""
        return str(self.call(f"say(({code}).reference)"))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask PostgreSQL."""
        return self.project.rows(query)

    def execute(self, statement: str) -> None:
        """Send a statement to PostgreSQL, past every service."""
        connection = psycopg2.connect(self.project.database_url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()

    def state(self, reference: str) -> str:
        """Give the state of a request."""
        [(state,)] = self.rows(f"SELECT state FROM gdpr_erasurerequest WHERE reference = '{reference}'")
        return str(state)

    @contextmanager
    def documents(self, collection: str) -> Iterator[Any]:
        """Give a collection, by the driver alone."""
        with MongoClient[dict[str, Any]](self.project.mongodb_url) as client:
            yield client.get_default_database()[collection]

    def holdings(self, key: int) -> dict[str, int]:
        """Count what the stores hold of a listener, by their drivers alone."""
        with MongoClient[dict[str, Any]](self.project.mongodb_url) as client:
            raw = client.get_default_database()
            models = client[f"{raw.name}_documents"]
            found = {
                "plays": raw["plays"].count_documents({"listener_id": key}),
                "playlists": raw["playlists"].count_documents({"owner_id": key}),
                "recommendations": raw["recommendations"].count_documents({"listener_id": key}),
                "sessions": models["listening_session"].count_documents({"listener_id": key}),
            }
        [(consents,)] = self.rows(f"SELECT count(*) FROM streaming_consent WHERE listener_id = {key}")
        [(named,)] = self.rows(
            f"SELECT count(*) FROM streaming_listener WHERE id = {key} AND email NOT LIKE '%@erased.invalid'"
        )
        public = self.public_playlists(key)
        return {**found, "public playlists": public, "consents": consents, "listener": named}

    def public_playlists(self, key: int) -> int:
        """Count the public playlists of a listener in the search index."""
        index = f"{self.project.prefix}public-playlists"
        self.project.ask("POST", f"/{index}/_refresh")
        return int(self.project.ask("GET", f"/{index}/_count?q=owner_id:{key}")["count"])

    def assert_gone(self, key: int) -> None:
        """Make sure that nothing is left of a listener that had to go."""
        assert not any(self.holdings(key).values()), self.holdings(key)


@pytest.fixture(scope="session")
def staffed_sample(new_sample: Callable[[], Project], filled_sample: Sample) -> Sample:
    """Give the sample project with listeners in every store, and accounts of staff."""
    project = new_sample()
    filled_sample.copy_to(project)
    done = project.run("-c", SETUP.format(password=PASSWORD), program=())
    assert done.returncode == 0, done.stderr
    return Sample(project=project)


@pytest.fixture
def erasing(project: Project, staffed_sample: Sample) -> Erasing:
    """Give such a project of the test's own."""
    staffed_sample.copy_to(project)
    return Erasing(project)
