"""SIGKILL at seeded moments of a real process, then a rerun: nothing may differ from a run left alone."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from tests.chance import chance, moments
from tests.children import die_with_parent
from tests.conformance.harness_mongo import MongoHarness
from tests.fix_mongodb import Mongod
from tests.forks import Finished, run_python

# Dozens of processes, each with its start; a busy machine takes its time.
pytestmark = [
    pytest.mark.matrix,
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.by_turns(3),
]

ROOT = Path(__file__).resolve().parents[3]

_COUNTERS = '''"""Counters of plays."""

import mongo_migrations as mongo


class Migration(mongo.Migration):
    operations = [
        mongo.CreateCollection("artists", validator={"name": {"$type": "string"}}),
        mongo.CreateIndexes("plays", [mongo.Index([("track", 1)]), mongo.Index([("at", -1)], name="newest")]),
        mongo.UpdateInBatches(
            "plays", {"$inc": {"count": 1}}, backward={"$inc": {"count": -1}}, batch_size=400
        ),
    ]
'''

_VISITS = '''"""Each play is visited once, by Python."""

from pymongo import UpdateOne

import mongo_migrations as mongo


def visit(documents, db, session):
    return [UpdateOne({"_id": d["_id"]}, {"$push": {"visits": d["count"]}}) for d in documents]


def leave(documents, db, session):
    return [UpdateOne({"_id": d["_id"]}, {"$pop": {"visits": 1}}) for d in documents]


def unset(db, session):
    db.plays.update_many({}, {"$unset": {"visits": 1}}, session=session)


def summarise(db, session):
    db.artists.insert_one({"_id": 1, "name": "everybody"}, session=session)
    db.artists.update_one({"name": "everybody"}, {"$inc": {"summaries": 1}}, session=session)


def forget(db, session):
    db.artists.delete_one({"name": "everybody"}, session=session)


class Migration(mongo.Migration):
    dependencies = [("APP", "0001_counters")]
    operations = [
        mongo.RunPython(mongo.RunPython.noop, unset),
        mongo.RunBatches("plays", visit, leave, batch_size=400),
        mongo.RunPython(summarise, forget),
        mongo.SetValidator("artists", {"name": {"$type": "string"}, "summaries": {"$gte": 1}}),
    ]
'''

_SHAPES = '''"""Other names and other indexes."""

import mongo_migrations as mongo


class Migration(mongo.Migration):
    dependencies = [("APP", "0002_visits")]
    operations = [
        mongo.DropIndex("plays", "newest"),
        mongo.CreateIndex(
            "plays", [("track", 1), ("count", -1)], name="popular", partial_filter={"count": {"$gt": 0}}
        ),
        mongo.RenameCollection("plays", "listens"),
        mongo.DropCollection("drafts", restore=[mongo.CreateCollection("drafts", capped_size=4096)]),
        mongo.UpdateInBatches(
            "listens", {"$inc": {"count": 10}}, backward={"$inc": {"count": -10}}, batch_size=400
        ),
    ]
'''


class PlaysHarness(MongoHarness):
    """Three revisions over many plays, most of whose operations would do harm if they ran twice."""

    step_names = ("0001_counters", "0002_visits", "0003_shapes")
    texts = (_COUNTERS, _VISITS, _SHAPES)

    def seed(self, documents: int) -> None:
        """Fill the database as an application would have."""
        self.db.create_collection("drafts", capped=True, size=4096)
        self.db.plays.insert_many(
            [
                {"_id": _mixed_id(number), "track": number % 100, "at": number, "count": number % 3}
                for number in range(documents)
            ]
        )

    def digest(self) -> str:
        """Hash everything observed."""
        return hashlib.sha256(json.dumps(self.observe(), sort_keys=True).encode()).hexdigest()

    def ledger_facts(self) -> object:
        """Read the ledger without what differs from run to run by nature."""
        passing = ("run_id", "fence", "applied_at", "saved", "changed")
        return {
            key.partition(".")[2]: {
                name: value for name, value in entry.items() if name not in ("_id", *passing)
            }
            for key, entry in self.ledger_entries().items()
        }


def _mixed_id(number: int) -> Any:
    """Ids of several types, as collections with a history have them."""
    return (number, f"play-{number:06}", {"day": number}, number + 0.5)[number % 4]


@pytest.fixture
def seeded(tmp_path: Path, mongod: Mongod) -> Iterator[Any]:
    """Give a maker of databases that are equal before anything is applied."""
    harnesses: list[PlaysHarness] = []

    def make(documents: int, app: str) -> PlaysHarness:
        name = f"test_{uuid.uuid4().hex[:12]}"
        harnesses.append(PlaysHarness(tmp_path, mongod.url(name, "replicaSet=rs0"), app))
        harnesses[-1].seed(documents)
        return harnesses[-1]

    yield make
    with MongoClient[Any](mongod.url()) as client:
        for harness in harnesses:
            client.drop_database(harness.db.name)
            harness.close()


def worker(harness: PlaysHarness, action: str, fence: int) -> list[str]:
    return ["-m", "tests.integration.mongodb.worker", json.dumps(harness.to_json()), action, str(fence)]


def start(harness: PlaysHarness, action: str, fence: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, *worker(harness, action, fence)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - a killed test run must leave no process, nor a frozen one
    )


def run(harness: PlaysHarness, action: str, fence: int, line: str) -> Finished:
    return run_python([*worker(harness, action, fence), line], env=os.environ, cwd=ROOT, timeout=120)


def finish(harness: PlaysHarness, action: str, fence: int, line: str = "") -> str:
    done = run(harness, action, fence, line)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def started(harness: PlaysHarness, action: str, fence: int) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process that is gone afterwards: a test that fails leaves none, and no frozen one."""
    process = start(harness, action, fence)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def seconds_of(harness: PlaysHarness) -> float:
    """Apply in a process that is started as those that are killed, and give how long it took."""
    began = time.monotonic()
    with started(harness, "apply", 1) as process:
        _, talk = process.communicate(timeout=120)
        assert process.returncode == 0, talk.decode()
        return time.monotonic() - began


def kill_after(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Kill a process unless it ended before; tell whether it had to be killed."""
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True
    return False


def test_paused_holder_that_wakes_up_late_changes_nothing(seeded: Any) -> None:
    """A process stopped in its backfill, overtaken, and let go on is refused and leaves no trace."""
    expected = seeded(20_000, "plays_paused")
    whole = seconds_of(expected)
    harness = seeded(20_000, "plays_paused")
    with started(harness, "apply", 1) as late:
        time.sleep(0.5 * whole)  # anywhere in the middle will do
        late.send_signal(signal.SIGSTOP)
        early = time.monotonic()
        finish(harness, "apply", 2)
        overtaking = time.monotonic() - early
        before = harness.digest(), harness.ledger_entries()

        late.send_signal(signal.SIGCONT)
        _, talk = late.communicate(timeout=120)

    assert late.returncode == 1
    assert b"StaleFence" in talk
    assert (harness.digest(), harness.ledger_entries()) == before
    assert before[0] == expected.digest()
    # Far less than the minute for which a server keeps the transaction of a silent client.
    assert overtaking < 30 + whole


def test_killed_backfill_of_many_documents_is_exactly_once(seeded: Any) -> None:
    """Twenty thousand documents are each changed once, whenever the process is killed, and however often."""
    dice = chance("mongodb backfill")
    left_alone = seeded(20_000, "plays_timed")
    whole = seconds_of(left_alone)

    killed = 0
    while killed < moments(15):
        harness = seeded(20_000, "plays_timed")
        for fence in range(1, dice.choice([2, 2, 3])):
            killed += kill_after(start(harness, "apply", fence), dice.uniform(0.15, 0.9) * whole)
        finish(harness, "apply", 9)

        assert harness.digest() == left_alone.digest()
        assert harness.ledger_facts() == left_alone.ledger_facts()


@pytest.mark.parametrize("action", ["apply", "revert"])
def test_kill_at_any_line_leaves_no_trace(seeded: Any, action: str) -> None:
    """A process that dies at a line of the package, and is started again, ends where an unkilled one does."""
    dice = chance(f"mongodb {action}")
    left_alone = seeded(1_000, "plays_lines")
    if action == "revert":
        finish(left_alone, "apply", 1)
    lines = int(finish(left_alone, action, 2, "count"))

    for number in sorted(dice.sample(range(1, lines), moments(16))):
        harness = seeded(1_000, "plays_lines")
        if action == "revert":
            finish(harness, "apply", 1)
        killed = run(harness, action, 2, str(number))
        finish(harness, action, 3)

        assert killed.returncode == -9, number
        assert harness.digest() == left_alone.digest(), number
        assert harness.ledger_facts() == left_alone.ledger_facts(), number
