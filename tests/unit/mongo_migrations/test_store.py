"""The store's options, and revision files that can't be used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from accord.errors import (
    ConfigurationError,
    InvalidRevision,
    RevisionError,
    RevisionUnreadable,
    RevisionWithoutMigration,
    UnknownTarget,
)
from accord.seam.types import Direction
from accord.testing import make_step
from mongo_migrations.store import MongoStore
from tests.conformance.harness_mongo import MongoHarness

URL = "mongodb://ada:geheim@127.0.0.1:9/music"


@pytest.fixture
def files(tmp_path: Path) -> Iterator[MongoHarness]:
    """Give revision files; nothing listens at the address, and nobody asks."""
    harness = MongoHarness(tmp_path, "mongodb://127.0.0.1:9/music")
    yield harness
    harness.close()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "URL"),
        ({"URL": 5}, "URL"),
        ({"URL": "mongodb://127.0.0.1:9"}, "DATABASE"),
        ({"URL": URL, "LEDGER": 7}, "LEDGER"),
        ({"URL": URL, "DATABSE": "x"}, "DATABSE"),
        ({"URL": URL, "REPLICA_SET_REQUIRED": "False"}, "REPLICA_SET_REQUIRED"),
    ],
)
def test_wrong_options_are_told_by_name(options: dict[str, object], words: str) -> None:
    """The message names store and option, and no secret."""
    with pytest.raises(ConfigurationError) as caught:
        MongoStore("mongodb", options)

    assert words in caught.value.message
    assert "geheim" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("password", ["S3cr3t/tail", "p@ss:w/rd", "12345/tail", "se#cret", "se?cret"])
def test_password_that_is_not_encoded_is_refused_and_not_told(password: str) -> None:
    """A driver would take a part of it for a host, and say so."""
    with pytest.raises(ConfigurationError, match="several ways") as caught:
        MongoStore("mongodb", {"URL": f"mongodb://joe:{password}@db.example.org/music"})

    told = caught.value.message + caught.value.hint
    assert not any(part in told for part in ("S3cr3t", "tail", "ss:w", "12345", "cret"))


def test_typing_mistake_is_guessed() -> None:
    """The hint names the option that was meant."""
    with pytest.raises(ConfigurationError) as caught:
        MongoStore("mongodb", {"URL": URL, "DATABSE": "x"})

    assert caught.value.hint == "Did you mean DATABASE?"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("class Migration(:\n", RevisionUnreadable),
        ("import a_module_that_is_not_there\n", RevisionUnreadable),
        ("operations = []\n", RevisionWithoutMigration),
        ("class Migration:\n    operations = []\n", RevisionWithoutMigration),
        (
            "import mongo_migrations as mongo\nclass Migration(mongo.Migration):\n    operations = ['x']\n",
            InvalidRevision,
        ),
        (
            "import mongo_migrations as mongo\nclass Migration(mongo.Migration):\n    operations = 5\n",
            InvalidRevision,
        ),
        (
            "import mongo_migrations as mongo\nclass Migration(mongo.Migration):\n    phase = 'later'\n",
            InvalidRevision,
        ),
    ],
)
def test_unusable_file_is_told_with_its_path(
    files: MongoHarness, text: str, error: type[RevisionError]
) -> None:
    """A file that can't be used names itself and the next move."""
    path = files.write_revision("0004_odd", text)

    with pytest.raises(error) as caught:
        files.store().steps()

    assert str(path) in str(caught.value)
    assert caught.value.hint


def test_steps_are_read_without_their_checksums(files: MongoHarness) -> None:
    """What costs time is done when somebody asks for it."""
    for step in files.store().steps():
        assert "checksum" not in vars(step.source)
        assert "_bytes" not in vars(step.source)


def test_irreversible_operation_marks_its_step(files: MongoHarness) -> None:
    """The engine knows before a run what can't be undone."""
    assert files.step("0001_playlists").irreversible == ""
    assert files.step("0003_titles").irreversible == "UpdateInBatches('lists') has no backward update."


def test_explaining_asks_no_server(files: MongoHarness) -> None:
    """A dry run of this store works on a train."""
    shown = dict(files.store().explain([files.step("0002_plays")], Direction.APPLY))

    assert len(shown) == 1


def test_step_without_a_file_is_told(files: MongoHarness) -> None:
    """A step that only the ledger knows can't be run."""
    with pytest.raises(UnknownTarget, match="No file provides"):
        list(files.store().explain([make_step("mongodb:music.0009_gone")], Direction.APPLY))
