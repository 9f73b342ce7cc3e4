"""Fixtures of the API: one sample project on stores of its own, asked by processes of their own."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.fix_project import Project
from tests.fix_sample import Sample

PASSWORD = "only-for-one-session"
LISTENERS = 60
ACCOUNTS = """
import django; django.setup()
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
every = Permission.objects.filter(content_type__app_label__in=("gdpr", "migrator", "accord"))
for name in ("filer", "approver", "nobody"):
    user = get_user_model().objects.create_user(name, password="{password}")
    if name != "nobody":
        user.user_permissions.set(every)
"""
PRELUDE = """
import json, sys
import django; django.setup()
from django.conf import settings
settings.ALLOWED_HOSTS = ["testserver"]
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from rest_framework.test import APIClient
from accord import tokens
from accord.models import AuditEvent
from gdpr.models import *
from gdpr.erasure import encryption, receipts, saga
erasure, sealing = saga, encryption
def account(name, *permissions):
    user, made = get_user_model().objects.get_or_create(username=name)
    if permissions:
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user
issued = {}
def token_of(name):
    user = get_user_model().objects.get(username=name)
    return issued.get(name) or issued.setdefault(name, tokens.issue(user, by=user).text)
def with_token(token):
    found = APIClient()
    found.credentials(HTTP_AUTHORIZATION="Token " + token)
    return found
def client(name): return with_token(token_of(name)) if name else APIClient()
def ask(name, path, **query): return client(name).get("/api/v1/" + path, query)
def send(name, path, body=None, **headers):
    return client(name).post("/api/v1/" + path, body, format="json", headers=headers)
def subject(key): return {"identifiers": {"id": str(key)}}
def filed(key, by="filer"):
    answer = send(by, "erasure-requests/", {"subject": subject(key), "identity": "staff"})
    assert answer.status_code == 201, answer.content
    return answer.json()["reference"]
def planned(key):
    reference = filed(key)
    answer = send("filer", f"erasure-requests/{reference}/plan/")
    assert answer.status_code == 200, answer.content
    return answer.json()
def approve(name, shown, digest="", reason="seen"):
    body = {"digest": digest or shown["plan_digest"], "reason": reason}
    return send(name, f"erasure-requests/{shown['reference']}/approve/", body)
def throttle(rates):
    from django.test import override_settings
    override_settings(REST_FRAMEWORK=settings.REST_FRAMEWORK | {"DEFAULT_THROTTLE_RATES": rates}).enable()
def problem(answer):
    found = answer.json()
    assert answer["Content-Type"] == "application/problem+json", answer.headers
    assert set(found) - {"errors"} == {"type", "title", "status", "detail", "code", "next"}, found
    assert found["status"] == answer.status_code
    return [answer.status_code, found["code"]]
def say(value): print(json.dumps(value, default=list))
"""


@dataclass(frozen=True)
class Served:
    """
    The sample project, and what tests of the API ask of it.

    Attributes:
        project: The project.
        keys: Listeners that no other test has taken.
    """

    project: Project
    keys: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def call(self, code: str, **values: Any) -> Any:
        """Send requests in a process of its own, and give what the code said."""
        return self.told(code, **values)[0]

    def told(self, code: str, **values: Any) -> tuple[Any, str]:
        """Send requests in a process of its own; give what the code said, and what was logged."""
        given = "".join(f"{name} = {value!r}\n" for name, value in values.items())
        done = self.project.run("-c", PRELUDE + given + code, program=())
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or "null"), done.stderr

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask PostgreSQL."""
        return self.project.rows(query)

    def email(self, key: int) -> str:
        """Give a listener's address."""
        [(email,)] = self.rows(f"SELECT email FROM streaming_listener WHERE id = {key}")
        return str(email)


@pytest.fixture(scope="session")
def served(new_sample: Callable[[], Project], migrated_sample: Sample) -> Served:
    """Give the sample project with listeners in every store, and accounts."""
    project = new_sample()
    migrated_sample.copy_to(project)
    project.manage(
        *("streaming_seed", "--listeners", str(LISTENERS), "--tracks", "10", "--venues", "2", "--noinput")
    )
    done = project.run("-c", ACCOUNTS.format(password=PASSWORD), program=())
    assert done.returncode == 0, done.stderr
    return Served(project)


@pytest.fixture
def listener(served: Served) -> int:
    """Give the key of a listener that this test has for itself."""
    return next(served.keys)


@pytest.fixture
def customer(served: Served) -> int:
    """Give the key of a listener that this test has for itself, and whose invoices are kept by law."""
    paying = {key for (key,) in served.rows("SELECT DISTINCT listener_id FROM streaming_subscription")}
    return next(key for key in served.keys if key in paying)
