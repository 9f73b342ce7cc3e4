"""The command that holds a drill: on servers of its own, which are gone when it ends, however it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fix_project import Project

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]
NOWHERE = {
    "database_url": "postgresql://nobody:nothing@127.0.0.1:1/nowhere",
    "mongodb_url": "mongodb://127.0.0.1:1/nowhere?serverSelectionTimeoutMS=500",
    "search_url": "http://127.0.0.1:1",
}


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder for temporary files, short enough for sockets below it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as made:
        Path(made).chmod(0o711)
        yield Path(made)


@pytest.fixture
def away(project: Project, folder: Path) -> Project:
    """Give the sample project with stores that nobody can reach: whoever opens one of them fails."""
    return replace(project, **NOWHERE, extra={**project.extra, "TMPDIR": str(folder)})


@pytest.mark.by_turns(3)
def test_drill_passes_and_opens_no_store_of_the_project(away: Project, folder: Path) -> None:
    """A restore of a store is noticed and undone, by rows and documents that fit the project's models."""
    done = away.run("gdpr_drill", "--store", "search", "--format", "json")

    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["passed"]
    assert [one["name"] for one in told["stages"]] == [
        *("servers", "migrate", "plant", "back up", "erase", "restore", "detect", "replay", "verify"),
    ]
    assert list(folder.iterdir()) == []


@pytest.mark.by_turns(3)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda one: one.name)
def test_interrupted_drill_leaves_nothing_behind(away: Project, folder: Path, number: signal.Signals) -> None:
    """Ended while it migrates: no server runs on, no file stays, and no traceback."""
    process = away.start("gdpr_drill")
    assert process.stdout is not None
    assert process.stdout.readline().startswith("ok      servers")
    [root] = folder.iterdir()

    process.send_signal(number)
    out, err = process.communicate(timeout=120)

    assert process.returncode == 3, out + err
    assert "Traceback" not in err
    assert list(folder.iterdir()) == []
    running = subprocess.run(["pgrep", "-f", str(root)], capture_output=True, text=True, check=False)
    assert running.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--store", "nosuch"), "ACC-101"),
        (("--planter", "no.such.function"), "ACC-855"),
    ],
    ids=["unknown store", "no planter"],
)
def test_what_can_not_be_drilled_is_refused_before_anything_starts(
    away: Project, folder: Path, arguments: tuple[str, ...], said: str
) -> None:
    """No server is started for it."""
    done = away.run("gdpr_drill", *arguments)

    assert (done.returncode, said in done.stderr) == (2, True), done.stdout + done.stderr
    assert list(folder.iterdir()) == []


def test_store_that_no_server_stands_in_for_is_refused(away: Project, folder: Path) -> None:
    """A class of the project's own: nobody knows where it would have to go."""
    code = (
        "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'core.settings'\n"
        "import django; django.setup()\n"
        "from django.conf import settings\n"
        "settings.ACCORD['STORES']['ours'] = {'BACKEND': 'accord.seam.stores.StoreInfo'}\n"
        "from django.core.management import call_command\n"
        "call_command('gdpr_drill')\n"
    )
    done = away.run("-c", code, program=())

    assert (done.returncode, "ACC-855" in done.stderr) == (2, True), done.stdout + done.stderr
    assert "“ours”" in done.stderr
    assert list(folder.iterdir()) == []
