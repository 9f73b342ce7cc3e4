"""The store of objects as the engine uses it: fences, repeats, looks, and what it does on a bare database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import environ
import pytest
from django.db import connections
from pytest_django.plugin import DjangoDbBlocker

from accord.errors import ConfigurationError, StaleFence
from accord.seam.types import Direction, Presence, Step
from migrator.objects import files
from migrator.objects.store import ObjectStore
from tests.fix_postgres import execute, rows_of
from tests.integration.postgres.driving import new_lease

pytestmark = pytest.mark.integration
DATABASE = "of_objects"
ONE = "-- object: view one\n-- store: objects\nCREATE VIEW one AS SELECT 1 AS number;\n"


@pytest.fixture
def url(
    new_database: Callable[[], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[str]:
    """Give a database with an app whose one file makes a view."""
    address = new_database()
    (tmp_path / files.FOLDER).mkdir()
    (tmp_path / files.FOLDER / "one.sql").write_text(ONE)
    app = SimpleNamespace(path=str(tmp_path), label="shop")
    monkeypatch.setattr(files, "apps", SimpleNamespace(get_app_configs=lambda: [app]))
    connections.databases[DATABASE] = environ.Env.db_url_config(address)
    connections.configure_settings(connections.databases)
    with django_db_blocker.unblock():
        yield address
        connections[DATABASE].close()
        del connections[DATABASE]
    del connections.databases[DATABASE]


def opened() -> tuple[ObjectStore, Step]:
    """Open the store as another process would, with its newest step."""
    store = ObjectStore("objects", {"DATABASE": DATABASE})
    (step,) = store.steps()
    return store, step


def test_database_that_nobody_wrote_to_stays_untouched_by_questions(url: str) -> None:
    """Ledger, explanation, look and ping make nothing."""
    store, step = opened()
    assert store.applied() == {}
    assert [one.text for _, found in store.explain([step], Direction.APPLY) for one in found] == [ONE.strip()]
    assert [probe.presence for probe in store.probe([step])] == [Presence.ABSENT]
    assert store.ping().detail == "objects of of_objects"
    assert rows_of(url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_later_lease_shuts_an_earlier_one_out(url: str) -> None:
    """Neither applies, reverts, records nor strikes anything then; the same lease may repeat all of it."""
    store, step = opened()
    late = new_lease()
    early = replace(late, fence=late.fence - 1)
    store.apply(step, late)
    assert store.apply(step, late).already
    other, _ = opened()
    for act in (other.apply, other.revert, other.record, other.forget):
        with pytest.raises(StaleFence):
            act(step, early)
    assert rows_of(url, "SELECT number FROM one") == [(1,)]

    store.revert(step, late)
    assert store.revert(step, late).already
    assert rows_of(url, "SELECT to_regclass('one') IS NULL, count(*) FROM accord_object") == [(True, 0)]


def test_look_at_what_stands_changes_nothing_and_tells_equal_from_other(url: str) -> None:
    """A view that the file would make is done, another one conflicts, and both stay as they are."""
    for number, presence in ((1, Presence.DONE), (2, Presence.CONFLICTING)):
        execute(url, "DROP VIEW IF EXISTS one", f"CREATE VIEW one AS SELECT {number} AS number")
        before = rows_of(url, "SELECT 'one'::regclass::oid")
        store, step = opened()
        assert [probe.presence for probe in store.probe([step])] == [presence]
        assert rows_of(url, "SELECT 'one'::regclass::oid") == before


def test_server_of_another_version_writes_otherwise_so_nobody_can_tell(url: str) -> None:
    """What was kept then is not held against what is written now."""
    store, step = opened()
    store.apply(step, new_lease())
    execute(url, "UPDATE accord_object SET live = '9:' || split_part(live, ':', 2)")
    (probe,) = store.probe([step])
    assert probe.presence is Presence.UNKNOWN
    assert probe.unproved


def test_store_takes_a_database_of_the_settings_alone() -> None:
    """Another option, or an alias that isn't there, is refused."""
    for options in ({"URL": "x"}, {"DATABASE": "nowhere"}):
        with pytest.raises(ConfigurationError, match="takes DATABASE alone"):
            ObjectStore("objects", options)
