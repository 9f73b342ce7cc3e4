"""Fixtures of the engine: a coordinating database, known to Django under an alias of its own."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import environ
import pytest
from django.db import connections
from pytest_django.plugin import DjangoDbBlocker


@dataclass(frozen=True)
class Coordinator:
    """
    An empty PostgreSQL database that may hold leases.

    Attributes:
        alias: Its name in Django.
        url: Its address, for other processes.
    """

    alias: str
    url: str


@pytest.fixture
def coordinator(new_database: Callable[[], str], django_db_blocker: DjangoDbBlocker) -> Iterator[Coordinator]:
    """Give a coordinating database that is this test's own."""
    url, alias = new_database(), f"coordinator_{uuid.uuid4().hex[:8]}"
    connections.settings[alias] = connections.configure_settings(
        {"default": {}, alias: environ.Env.db_url_config(url)}
    )[alias]
    with django_db_blocker.unblock():
        yield Coordinator(alias=alias, url=url)
        connections[alias].close()
    del connections[alias]
    del connections.settings[alias]
