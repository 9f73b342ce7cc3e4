"""Embedded servers: the parts that decide without asking any server."""

from __future__ import annotations

import errno
import io
import os
from dataclasses import replace
from pathlib import Path

import pytest

from accord import embedded
from accord.embedded import faults, password, ports, process, progress
from accord.embedded.errors import EmbeddedDataUnusable, EmbeddedStartFailed
from accord.embedded.mongodb import MongoServer
from accord.embedded.paths import EmbeddedPaths, cache_folder
from accord.embedded.state import SavedState
from accord.errors import UsageError
from accord.events import FetchProgressed, ServerReady


def test_home_is_in_the_checkout_unless_the_environment_names_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`ACCORD_HOME` moves the data, and only it does."""
    monkeypatch.delenv("ACCORD_HOME", raising=False)
    assert EmbeddedPaths.of(tmp_path).home == tmp_path / ".accord"

    monkeypatch.setenv("ACCORD_HOME", str(tmp_path / "elsewhere"))

    assert EmbeddedPaths.of(tmp_path).home == tmp_path / "elsewhere"


def test_cache_is_found_from_most_to_least_special(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`ACCORD_CACHE` wins over the desktop's rule, which wins over the home folder."""
    monkeypatch.setenv("ACCORD_CACHE", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "own"

    monkeypatch.delenv("ACCORD_CACHE")
    assert cache_folder() == tmp_path / "xdg" / "accord"

    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == tmp_path / "home" / ".cache" / "accord"


def test_first_state_written_is_the_one_that_stays(tmp_path: Path) -> None:
    """Of two commands that choose a port at the same moment, both use the port of the first."""
    file = tmp_path / "state.json"

    first = SavedState(port=20001).create(file)
    second = SavedState(port=20002).create(file)

    assert first == second == SavedState.read(file)
    assert second.port == 20001
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_torn_state_is_replaced(tmp_path: Path) -> None:
    """A state file that can't be understood counts as none."""
    file = tmp_path / "state.json"
    file.write_text('{"port": 2', encoding="utf-8")

    assert SavedState.read(file) is None
    assert SavedState(port=20003).create(file).port == 20003


def test_password_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    """Every caller gets the same password, and its file is closed to others."""
    file = tmp_path / "password"

    first, second = password.ensure(file), password.ensure(file)

    assert first == second
    assert len(first) >= 32
    assert file.stat().st_mode & 0o777 == 0o600


def test_urls_stay_the_same_and_start_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking for URLs settles port and password for good, and no server runs."""
    monkeypatch.delenv("ACCORD_HOME", raising=False)

    first = embedded.urls(tmp_path, tuple(embedded.SERVERS))

    assert embedded.urls(tmp_path, tuple(embedded.SERVERS)) == first
    assert first["postgres"].startswith("postgresql://accord:")
    assert first["mongodb"].endswith("/accord?replicaSet=rs0")
    assert all("@127.0.0.1:" in url or "//127.0.0.1:" in url for url in first.values())
    assert not any(state.running for state in embedded.status(tmp_path))


def test_unknown_server_is_a_usage_error(tmp_path: Path) -> None:
    """A name that no server has is refused with the names there are."""
    with pytest.raises(UsageError) as caught:
        embedded.urls(tmp_path, ["oracle"])

    assert "opensearch" in caught.value.hint


def test_own_process_is_alive_and_a_reused_number_is_not(tmp_path: Path) -> None:
    """The same number with another start time, or of another boot, is somebody else."""
    stat, boot = Path("/proc/self/stat"), Path("/proc/sys/kernel/random/boot_id")
    (tmp_path / "process").write_text(stat.read_text() + boot.read_text())
    me = process.read_identity(tmp_path / "process")

    assert me is not None
    assert me.alive()
    assert not replace(me, started=me.started + 1).alive()
    assert not replace(me, boot="another").alive()


@pytest.mark.parametrize("text", ["", "12 (sh) S 1", "x (sh) S\nboot\n", "12 (sh) S 1 2 3\n"])
def test_record_cut_short_names_nobody(tmp_path: Path, text: str) -> None:
    """A record that is still being written, or was never finished, counts as none."""
    (tmp_path / "process").write_text(text, encoding="utf-8")

    assert process.read_identity(tmp_path / "process") is None


def test_log_tail_gives_the_last_lines_and_survives_a_missing_file(tmp_path: Path) -> None:
    """An error message shows the end of a log, short lines of it, and never fails over it."""
    log = tmp_path / "server.log"
    log.write_text("".join(f"line {number}\n" for number in range(100)) + "x" * 5000 + "\n", encoding="utf-8")

    tail = process.log_tail(log, lines=3).splitlines()

    assert tail[:2] == ["line 98", "line 99"]
    assert len(tail[2]) == 300
    assert process.log_tail(tmp_path / "none") == ""


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, "Free some space"),
        (errno.EDQUOT, "Free some space"),
        (errno.EACCES, "owner"),
        (errno.EROFS, "write to"),
        (errno.ENOTDIR, "Something else stands"),
    ],
)
def test_refusals_of_the_system_become_errors_with_a_next_move(
    tmp_path: Path, number: int, expected: str
) -> None:
    """Each thing that can be wrong with a folder has its own advice."""
    with pytest.raises(EmbeddedDataUnusable) as caught, faults.translated("mongodb", tmp_path):
        raise OSError(number, os.strerror(number), str(tmp_path / "data"))

    assert str(tmp_path / "data") in caught.value.message
    assert expected in caught.value.hint


def test_other_errors_of_the_system_pass_as_they_are(tmp_path: Path) -> None:
    """What isn't about the folder isn't called so."""
    with pytest.raises(ChildProcessError), faults.translated("mongodb", tmp_path):
        raise ChildProcessError(errno.ECHILD, "no child")


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("FATAL: could not write: No space left on device", EmbeddedDataUnusable),
        ("FATAL: syntax error in configuration", EmbeddedStartFailed),
    ],
)
def test_failed_start_shows_the_log_and_knows_a_full_disk(
    tmp_path: Path, line: str, kind: type[Exception]
) -> None:
    """The last lines of the log are in the message; a full disk is named as one."""
    server = MongoServer(EmbeddedPaths(home=tmp_path, cache=tmp_path))
    server.folder.mkdir()
    server.log.write_text(f"starting\n{line}\n", encoding="utf-8")

    error = server._failed("ended while it was starting")

    assert type(error) is kind
    assert line in error.message


def test_chosen_ports_are_free_and_below_those_of_outgoing_connections() -> None:
    """A port that is remembered while its server sleeps must not be taken by accident."""
    found = [ports.choose() for _ in range(20)]

    assert all(20000 <= port <= 32000 for port in found)
    assert all(ports.is_free(port) for port in found)


def test_lines_for_a_pipe_say_each_tenth_of_a_download_once() -> None:
    """A log doesn't fill with one line for each chunk, and sizes are in it."""
    stream = io.StringIO()

    with progress.reporter_for(stream) as reporter:
        for done in range(0, 200_000_001, 1_000_000):
            reporter(FetchProgressed(store="opensearch", what="a.zip", done=done, total=200_000_000))
        reporter(ServerReady(store="opensearch", seconds=2.54))

    lines = stream.getvalue().splitlines()
    assert len(lines) == 12
    assert lines[5] == "opensearch: fetching a.zip: 100.0 of 200.0 MB"
    assert lines[-1] == "opensearch: ready after 2.5 s"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_terminal_gets_bars_only_once_something_is_fetched() -> None:
    """Servers that need no fetching are told of in plain lines; a bar leaves nothing behind but the lines."""
    plain, fetched = Terminal(), Terminal()

    with progress.reporter_for(plain) as reporter:
        reporter(ServerReady(store="mongodb", seconds=1.0))
    with progress.reporter_for(fetched) as reporter:
        reporter(FetchProgressed(store="opensearch", what="a.zip", done=10, total=10))
        reporter(ServerReady(store="opensearch", seconds=2.54))

    assert plain.getvalue() == "mongodb: ready after 1.0 s\n"
    assert "opensearch: ready after 2.5 s" in fetched.getvalue()
    assert "a.zip" in fetched.getvalue()
