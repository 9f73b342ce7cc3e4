"""
The drill: back up, erase, restore a store alone or two together, notice, erase again, and find nobody.

By the backups that `gdpr_drill` makes: `pg_dump`, documents byte by byte, indexes by their documents.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from gdpr.drill.backups import MongoBackup, PostgresBackup
from gdpr.drill.index_backups import SearchBackup
from tests.chance import chance, moments, seed
from tests.fix_canaries import Canaries, in_stores, traces
from tests.fix_project import Project
from tests.fix_requests import Erasing

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]
MORTAL = ("-m", "tests.acceptance.mortal_erasure")
PLANT = """
UPDATE streaming_listener SET display_name = '{word}', email = '{word}@example.com' WHERE id = 3
"""
CANARIES = Canaries()


class Backup:
    """A backup of every store, each of which can be restored alone."""

    def __init__(self, project: Project, folder: Path) -> None:
        postgres, mongodb = (urlsplit(url) for url in (project.database_url, project.mongodb_url))
        raw = mongodb.path.strip("/")
        self._of: dict[str, list[Any]] = {
            "default": [
                PostgresBackup(project.database_url, postgres.path.strip("/"), folder / "postgres.dump")
            ],
            # MongoDB's two databases go together, as its tools take them.
            "mongodb": [
                MongoBackup(project.mongodb_url, name, folder / f"{name}.bson")
                for name in (raw, f"{raw}_documents")
            ],
            "search": [SearchBackup(project.search_url, project.prefix, folder / "search.json")],
        }

    def make(self) -> None:
        """Back up."""
        self._do(lambda one: one.make(), self._of)

    def restore(self, stores: Collection[str]) -> None:
        """Restore some stores."""
        self._do(lambda one: one.restore(), stores)

    def _do(self, act: Callable[[Any], None], stores: Collection[str]) -> None:
        for name in self._of:
            for one in self._of[name] if name in stores else ():
                act(one)


@pytest.fixture
def backup(erasing: Erasing, tmp_path: Path) -> Backup:
    """Give a backup from after a first erasure, so that every store has its mark; person 3 has a canary."""
    made = Backup(erasing.project, tmp_path)
    erasing.execute(PLANT.format(word=CANARIES.word))
    with erasing.documents("playlists") as playlists:
        playlists.update_one({"owner_id": 3}, {"$set": {"name": CANARIES.word}})
    erase(erasing, 2)
    made.make()
    return made


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
        pytest.param({"default"}, id="postgres", marks=pytest.mark.by_turns(3)),
        pytest.param({"search"}, id="search", marks=pytest.mark.by_turns(3)),
        pytest.param({"default", "mongodb"}, id="postgres and mongodb", marks=pytest.mark.by_turns(3)),
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
    assert traces(CANARIES, in_stores(erasing.project)) == {}
    assert erasing.holdings(6) == before
    assert erasing.command("gdpr_process").returncode == 0
    erase(erasing, 7)


ACCOUNT = """
INSERT INTO auth_user (username, password, is_superuser, first_name, last_name, email, is_staff, is_active,
date_joined) SELECT email, '', false, '', '', email, false, true, now() FROM streaming_listener WHERE id = 3
"""


@pytest.mark.by_turns(3)
def test_two_restores_one_after_the_other(erasing: Erasing, backup: Backup) -> None:
    """
    The second one brings back what the first replay could not see, because it was gone: rows by an e-mail.

    Nobody is asked whose they are: the register knows it from the erasure.
    """
    erasing.execute(ACCOUNT)
    backup.make()
    erase(erasing, 3)
    for stores in ({"mongodb"}, {"default"}):
        backup.restore(stores)
        done = replay(erasing)

        assert all(one["finished"] for one in done.values()), done
    assert health(erasing)["level"] == "ok"
    assert traces(CANARIES, in_stores(erasing.project)) == {}


@pytest.mark.by_turns(3)
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
