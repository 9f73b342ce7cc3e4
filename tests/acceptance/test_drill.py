"""
The drill: back up, erase, restore a store alone or two together, notice, erase again, and find nobody.

By the tools and drivers of the servers: `pg_dump`, documents byte by byte, indexes by their documents.
"""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from pymongo import MongoClient

from accord.embedded import postgres_binary
from tests.chance import chance, moments, seed
from tests.fix_canaries import Canaries, in_stores, traces
from tests.fix_postgres import execute
from tests.fix_project import Project
from tests.fix_requests import Erasing
from tests.fix_sample import copy_mongodb, copy_search

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]
MORTAL = ("-m", "tests.acceptance.mortal_erasure")
PLANT = """
UPDATE streaming_listener SET display_name = '{word}', email = '{word}@example.com' WHERE id = 3
"""
CANARIES = Canaries()


class Backup:
    """A backup of every store, each of which can be restored alone."""

    def __init__(self, project: Project, file: Path) -> None:
        url = urlsplit(project.mongodb_url)
        self.project = project
        self.dump = file
        self.away = Project(
            database_url=project.database_url,
            mongodb_url=urlunsplit(url._replace(path=f"{url.path}_backup")),
            search_url=project.search_url,
            prefix=f"backup-{project.prefix}",
        )

    def make(self) -> None:
        """Back up."""
        subprocess.run([_tool("pg_dump"), "-Fc", "-f", str(self.dump), self.project.database_url], check=True)
        copy_mongodb(self.project.mongodb_url, self.away.mongodb_url)
        copy_search(self.project, self.away)

    def restore(self, stores: Collection[str]) -> None:
        """Restore some stores; MongoDB's two databases go together, as its tools take them."""
        if "default" in stores:
            self._restore_postgres()
        if "mongodb" in stores:
            _drop_mongodb(self.project)
            copy_mongodb(self.away.mongodb_url, self.project.mongodb_url)
        if "search" in stores:
            _drop_search(self.project)
            copy_search(self.away, self.project)

    def _restore_postgres(self) -> None:
        url = urlsplit(self.project.database_url)
        server, name = urlunsplit(url._replace(path="/postgres")), url.path.strip("/")
        execute(server, f'DROP DATABASE "{name}" WITH (FORCE)')
        execute(server, f"CREATE DATABASE {name} TEMPLATE template0")
        load = [_tool("pg_restore"), "--exit-on-error", "-d", self.project.database_url, str(self.dump)]
        subprocess.run(load, check=True)

    def clean(self) -> None:
        """Remove the backup."""
        _drop_mongodb(self.away)
        _drop_search(self.away)


def _tool(name: str) -> str:
    return str(postgres_binary(name))


def _drop_mongodb(project: Project) -> None:
    with MongoClient[dict[str, Any]](project.mongodb_url) as client:
        name = client.get_default_database().name
        client.drop_database(name)
        client.drop_database(f"{name}_documents")


def _drop_search(project: Project) -> None:
    for index in project.ask("GET", f"/{project.prefix}*?expand_wildcards=all&filter_path=*.aliases"):
        project.ask("DELETE", f"/{index}")
    for found in project.ask("GET", f"/_index_template/{project.prefix}*").get("index_templates", []):
        project.ask("DELETE", f"/_index_template/{found['name']}")


@pytest.fixture
def backup(erasing: Erasing, tmp_path: Path) -> Iterator[Backup]:
    """Give a backup from after a first erasure, so that every store has its mark; person 3 has a canary."""
    made = Backup(erasing.project, tmp_path / "dump")
    erasing.execute(PLANT.format(word=CANARIES.word))
    with erasing.documents("playlists") as playlists:
        playlists.update_one({"owner_id": 3}, {"$set": {"name": CANARIES.word}})
    erase(erasing, 2)
    made.make()
    yield made
    made.clean()


def erase(erasing: Erasing, key: int) -> None:
    """Erase a person, by two accounts of staff."""
    done = erasing.erase("--request", erasing.reference(f"approved({key})"))
    assert done.returncode == 0, done.stdout + done.stderr


def replay(erasing: Erasing, *arguments: str, code: int = 0) -> dict[str, dict[str, Any]]:
    """Replay, and give what it answered by store."""
    done = erasing.command("gdpr_replay", *arguments, "--noinput", "--format", "json")
    assert done.returncode == code, done.stdout + done.stderr
    return {one["store"]: one for one in json.loads(done.stdout)["stores"]}


def health(erasing: Erasing) -> dict[str, Any]:
    done = erasing.command("health_check", "--only", "erasure.register", "--format", "json")
    [found] = json.loads(done.stdout)["findings"]
    return dict(found)


@pytest.mark.parametrize(
    "stores",
    [
        pytest.param({"mongodb"}, id="mongodb"),
        pytest.param({"default"}, id="postgres", marks=pytest.mark.by_turns(2)),
        pytest.param({"search"}, id="search", marks=pytest.mark.by_turns(2)),
        pytest.param({"default", "mongodb"}, id="postgres and mongodb", marks=pytest.mark.by_turns(2)),
    ],
)
def test_drill(erasing: Erasing, backup: Backup, stores: set[str]) -> None:
    """Whatever was restored is named, two people are erased again, and nothing of them is found."""
    for key in (3, 4):
        erase(erasing, key)
    calm = health(erasing)
    before = erasing.holdings(6)
    backup.restore(stores)

    noticed = health(erasing)
    stopped = erasing.erase("--request", erasing.reference("approved(5)"))
    dry = replay(erasing, "--dry-run")
    done = replay(erasing)
    again = replay(erasing)

    # What PostgreSQL was told of the others went back with it; its replay is one for every store.
    of_mongodb = {"mongodb", "documents"}
    restored = {"default"} if "default" in stores else of_mongodb if "mongodb" in stores else stores
    assert calm["level"] == "ok", calm
    assert noticed["level"] == "critical", noticed
    assert all(store in noticed["message"] for store in restored), noticed
    assert (stopped.returncode, "ACC-854" in stopped.stderr) == (4, True), stopped.stdout + stopped.stderr
    assert {
        store: (one["total"], set(one["waiting"].values())) for store, one in dry.items()
    } == dict.fromkeys(restored, (2, {""}))
    assert {store: one["finished"] for store, one in done.items()} == dict.fromkeys(restored, True)
    assert again == {}
    assert health(erasing)["level"] == "ok"
    verified = erasing.command("audit_verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    for key in (2, 3, 4):
        erasing.assert_gone(key)
    backup.clean()
    assert traces(CANARIES, in_stores(erasing.project)) == {}
    assert erasing.holdings(6) == before
    assert erasing.command("gdpr_process").returncode == 0
    erase(erasing, 7)


@pytest.mark.by_turns(2)
def test_replay_killed_at_any_line_goes_on(erasing: Erasing, backup: Backup, tmp_path: Path) -> None:
    """SIGKILL at seeded lines, then reruns: nobody is left, and each is erased again once."""
    for key in (3, 4):
        erase(erasing, key)
    backup.restore({"default", "mongodb"})
    dice, kills = chance("replay"), 0
    for _ in range(moments(4, 2)):
        line = str(dice.randrange(1, 4000))
        done = erasing.command("gdpr_replay", "--noinput", program=(*MORTAL, line))
        assert done.returncode in (0, -signal.SIGKILL), done.stdout + done.stderr
        kills += done.returncode != 0
    finished = replay(erasing)

    assert all(one["finished"] for one in finished.values()), (seed(), kills, finished)
    assert replay(erasing) == {}
    for key in (2, 3, 4):
        erasing.assert_gone(key)
    assert health(erasing)["level"] == "ok", f"seed {seed()}"
    open_ones = erasing.rows(
        "SELECT count(*) FROM gdpr_erasurerequest WHERE state NOT LIKE 'completed%' AND state <> 'duplicate'"
    )
    assert open_ones == [(0,)]
