"""Killed servers, killed commands, many commands at once: there is one server, and it answers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import psycopg2
import pytest
from pymongo import MongoClient

from accord import embedded
from accord.embedded import process
from accord.embedded.postgres import PostgresServer
from tests.chance import chance, moments
from tests.integration.embedded.checkout import CODE, failure, processes_using, server, start_command

pytestmark = [pytest.mark.integration, pytest.mark.by_turns(3)]

ROUNDS = moments(6, 3)


def kill_server(root: Path, name: str) -> None:
    identity = process.read_identity(server(root, name).folder / "process")
    assert identity is not None
    os.kill(identity.pid, signal.SIGKILL)
    assert identity.await_end(10)


@pytest.mark.by_turns(3)
@pytest.mark.parametrize("name", ["postgres", "mongodb"])
def test_ten_commands_at_once_start_one_server(checkout: Path, name: str) -> None:
    """All ten succeed, and one process holds the data."""
    commands = [start_command(checkout, name) for _ in range(10)]
    results = [(command.communicate(timeout=120), command.returncode) for command in commands]

    assert [code for _, code in results] == [0] * 10, results
    assert len(processes_using(server(checkout, name).data)) == 1


def test_killed_postgres_is_started_again_with_its_rows(checkout: Path) -> None:
    """SIGKILL leaves a stale pid file and orphans; the next start recovers, committed rows included."""
    (state,) = embedded.ensure_running(checkout, ["postgres"])
    url = embedded.urls(checkout, ["postgres"])["postgres"]
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS id")
    connection.close()

    kill_server(checkout, "postgres")
    (again,) = embedded.ensure_running(checkout, ["postgres"])

    assert again.pid != state.pid
    assert again.port == state.port
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM kept")
        assert cursor.fetchone() == (1000,)
    connection.close()


def test_killed_mongodb_is_started_again(checkout: Path) -> None:
    """A replica set of one becomes primary again after SIGKILL."""
    embedded.ensure_running(checkout, ["mongodb"])
    url = embedded.urls(checkout, ["mongodb"])["mongodb"]
    client: MongoClient[dict[str, Any]]
    with MongoClient[dict[str, Any]](url, w=1, journal=True) as client:
        client.get_default_database().kept.insert_one({"_id": 1})

    kill_server(checkout, "mongodb")
    embedded.ensure_running(checkout, ["mongodb"])

    with MongoClient(url) as client:
        assert client.get_default_database().kept.count_documents({}) == 1


@pytest.mark.by_turns(3)
@pytest.mark.slow
def test_killed_search_engines_are_started_again(checkout: Path) -> None:
    """The engines' own locks on their data don't keep the next start out."""
    names = ["opensearch", "elasticsearch"]
    embedded.ensure_running(checkout, names)
    for name in names:
        kill_server(checkout, name)

    again = embedded.ensure_running(checkout, names)

    assert all(state.running for state in again)


@pytest.mark.matrix
def test_command_killed_at_any_moment_leaves_a_start_that_works(checkout: Path) -> None:
    """Wherever the starting command dies, the next one ends with exactly one server of each kind."""
    dice = chance("starting commands")
    names = ["postgres", "mongodb"]
    for _ in range(ROUNDS):
        command = start_command(checkout, *names)
        time.sleep(dice.uniform(0.05, 1.2))
        command.kill()
        command.communicate()

        states = embedded.ensure_running(checkout, names)

        assert all(state.running for state in states)
        for name in names:
            assert len(processes_using(server(checkout, name).data)) == 1
        if dice.random() < 0.7:
            embedded.reset(checkout, names)


def test_database_that_a_killed_starter_still_makes_is_taken_as_made(checkout: Path) -> None:
    """Its statement goes on in the server after it died; whoever starts next meets it at any point."""
    embedded.ensure_running(checkout, ["postgres"])
    url = embedded.urls(checkout, ["postgres"])["postgres"]
    starter = cast("PostgresServer", server(checkout, "postgres"))
    for _ in range(4):
        with closing(psycopg2.connect(url.rpartition("/")[0] + "/postgres")) as connection:
            connection.autocommit = True
            connection.cursor().execute(f'DROP DATABASE "{url.rpartition("/")[2]}"')
        with ThreadPoolExecutor(6) as starters:
            assert all(starters.map(starter._has_database, [urlsplit(url).port] * 6))


def test_stale_record_of_a_reused_process_number_is_not_believed(checkout: Path) -> None:
    """A record from before a reboot may name a number that somebody else has now: that one isn't touched."""
    embedded.ensure_running(checkout, ["mongodb"])
    embedded.stop(checkout, ["mongodb"])
    bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        stat = Path(f"/proc/{bystander.pid}/stat").read_text()
        for name in ("process", "ready"):
            (server(checkout, "mongodb").folder / name).write_text(stat + "0-another-boot\n")

        assert embedded.stop(checkout, ["mongodb"]) == []
        (state,) = embedded.ensure_running(checkout, ["mongodb"])

        assert state.running
        assert bystander.poll() is None
    finally:
        bystander.communicate(b"\n")


def test_server_that_never_was_ready_is_taken_over(checkout: Path) -> None:
    """A server whose starter died before it answered is used, not started a second time."""
    (first,) = embedded.ensure_running(checkout, ["mongodb"])
    (server(checkout, "mongodb").folder / "ready").unlink()
    assert server(checkout, "mongodb").status().condition is embedded.Condition.STARTING

    (second,) = embedded.ensure_running(checkout, ["mongodb"])

    assert second.running
    assert second.pid == first.pid


@pytest.mark.by_turns(3)
@pytest.mark.parametrize("name", ["postgres", "mongodb"])
def test_taken_port_is_named_and_moves_only_where_the_url_was_not_used(checkout: Path, name: str) -> None:
    """Clients that know the URL get an error with the port; the start command may choose another port."""
    (before,) = embedded.ensure_running(checkout, [name])
    embedded.stop(checkout, [name])
    with closing(socket.socket()) as stranger:
        take(stranger, before.port or 0)
        error = failure(checkout, name)
        (moved,) = embedded.ensure_running(checkout, [name], may_move=True)

    assert error.code == "ACC-701"
    assert str(before.port) in error.message
    assert f"embedded start {name}" in error.hint
    assert moved.running
    assert moved.port != before.port
    assert f":{moved.port}/" in embedded.urls(checkout, [name])[name]


def take(stranger: socket.socket, port: int) -> None:
    """Hold a port that a server has just left: its last connections may still linger there."""
    stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    stranger.bind(("127.0.0.1", port))
    stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)


def test_servers_of_tests_end_with_a_killed_test_process(tmp_path: Path) -> None:
    """After SIGKILL of the process that asked for it, its servers and their folder are gone."""
    home = tmp_path / "private"
    code = (
        "import sys, pathlib, accord.embedded as e; "
        "c = e.EmbeddedCluster(pathlib.Path(sys.argv[1]), ['postgres', 'mongodb'], "
        "die_with_parent=True, delete=True); "
        "print(*[s.data for s in c.start()], flush=True); input()"
    )
    command = subprocess.Popen(
        [sys.executable, "-c", code, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(CODE)},
    )
    assert command.stdout is not None
    folders = [Path(word) for word in command.stdout.readline().split()]
    assert all(processes_using(folder) for folder in folders)

    command.kill()
    command.communicate()

    deadline = time.monotonic() + 30
    while home.exists() or any(processes_using(folder) for folder in folders):
        assert time.monotonic() < deadline, "servers outlived their tests"
        time.sleep(0.05)
    assert not any(folder.exists() for folder in folders)


def test_private_cluster_ignores_the_home_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tests never touch the data that `ACCORD_HOME` points at, and leave nothing behind."""
    monkeypatch.setenv("ACCORD_HOME", str(tmp_path / "precious"))

    cluster = embedded.EmbeddedCluster(tmp_path / "private", ["mongodb"], die_with_parent=True, delete=True)
    with cluster:
        (state,) = cluster.status()
        identity = process.read_identity(tmp_path / "private/mongodb/process")

    assert state.data == tmp_path / "private/mongodb/data"
    assert identity is not None
    assert not identity.alive()
    assert not (tmp_path / "precious").exists()
    assert not (tmp_path / "private").exists()
