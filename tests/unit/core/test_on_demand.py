"""Which commands start embedded stores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from accord.embedded.errors import EmbeddedStartFailed
from accord.errors import ExitCode
from accord.events import Reporter, ServerStarting
from core.environment import Environment, read_environment
from core.on_demand import start_stores


class RecordingStarter:
    """Note which servers were wanted; fail when told to."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.names: list[str] = []
        self.failure = failure

    def __call__(self, root: Path, names: Sequence[str], reporter: Reporter, *, may_move: bool) -> None:
        self.names.extend(names)
        for name in names:
            reporter(ServerStarting(store=name))
        if self.failure is not None:
            raise self.failure


def development() -> Environment:
    """Read an environment in which nothing is set."""
    return read_environment({})


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["check"],
        ["embedded", "status"],
        ["help", "migrate_all"],
        ["migrate_all", "--help"],
        ["migrate_all", "-h"],
        ["--version"],
        ["test"],
    ],
)
def test_command_without_stores_starts_none(arguments: list[str]) -> None:
    """Reading files and asking for help needs no server."""
    starter = RecordingStarter()

    assert start_stores(arguments, load=development, ensure_running=starter) == 0

    assert starter.names == []


@pytest.mark.parametrize(
    "arguments", [["migrate_all"], ["migrate_all", "--plan"], ["makemigrations"], ["runserver"], ["shell"]]
)
def test_command_with_stores_starts_them(arguments: list[str]) -> None:
    """Every command that isn't known to be offline gets its stores."""
    starter = RecordingStarter()

    assert start_stores(arguments, load=development, ensure_running=starter) == 0

    assert starter.names == ["postgres", "mongodb", "opensearch"]


def test_why_a_server_starts_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Who did not ask for servers reads what made them start, and standard output stays the command's."""
    start_stores(["migrate_all"], load=development, ensure_running=RecordingStarter())

    said = capsys.readouterr()
    assert said.err.splitlines()[0] == "postgres: starting the embedded server (its URL is unset) ..."
    assert said.out == ""


def test_only_stores_without_a_url_are_started() -> None:
    """A server of one's own is left alone."""
    starter = RecordingStarter()

    start_stores(
        ["migrate_all"],
        load=lambda: read_environment({"MONGODB_URL": "mongodb://m1.example"}),
        ensure_running=starter,
    )

    assert starter.names == ["postgres", "opensearch"]


def test_refused_environment_is_said_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    """A production without a key ends with the list of what to set, whatever the command."""
    starter = RecordingStarter()

    code = start_stores(
        ["check"], load=lambda: read_environment({"ACCORD_ENV": "production"}), ensure_running=starter
    )

    assert code == ExitCode.USAGE
    assert "SECRET_KEY is unset" in capsys.readouterr().err
    assert starter.names == []


def test_server_that_does_not_start_is_said_with_the_next_move(capsys: pytest.CaptureFixture[str]) -> None:
    """The reason and the hint reach standard error, and the exit code says that a store is away."""
    starter = RecordingStarter(EmbeddedStartFailed("postgres did not start: disk full.", hint="Make room."))

    code = start_stores(["migrate_all"], load=development, ensure_running=starter)

    said = capsys.readouterr().err
    assert code == ExitCode.STORE_UNAVAILABLE
    assert "disk full" in said
    assert "Make room." in said
