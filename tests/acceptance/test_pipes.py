"""Commands whose answer or talk goes into a pipe that nobody reads to its end."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.fix_workshop import Workshop

pytestmark = pytest.mark.acceptance


def closed_pipe() -> int:
    """Give the writing end of a pipe whose reader is gone."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def run(
    workshop: Workshop, *arguments: str, unheard: bool = False, unbuffered: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run a command whose standard output, or with `unheard` standard error, is closed."""
    writer = closed_pipe()
    try:
        return subprocess.run(
            [sys.executable, "-m", "django", *arguments],
            # With a buffer a short answer fails at the end, without one at its first line.
            env={**workshop.environment, "PYTHONUNBUFFERED": "1" if unbuffered else ""},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if unheard else writer,
            stderr=writer if unheard else subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
    finally:
        os.close(writer)


@pytest.mark.parametrize(
    ("arguments", "unbuffered"),
    [
        (("showmigrations_all",), False),
        (("showmigrations_all", "--format", "json"), True),
        (("migrate_all", "--plan"), True),
        (("migrate_mongo", "--plan"), False),
        (("health_check", "--only", "disk"), False),
        (("embedded", "status"), True),
    ],
)
def test_answer_that_nobody_reads_ends_quietly(
    workshop: Workshop, arguments: tuple[str, ...], unbuffered: bool
) -> None:
    """As with `ls | head -1`: no traceback, and the exit code that a shell gives for a closed pipe."""
    workshop.mongo("0001_first", "records")

    done = run(workshop, *arguments, unbuffered=unbuffered)

    assert done.stderr == ""
    assert done.returncode == 141


def test_run_whose_talk_nobody_hears_does_its_work(workshop: Workshop) -> None:
    """The progress goes nowhere; every step is applied, answered and recorded as ever."""
    workshop.mongo("0001_first", "records")

    done = run(workshop, "migrate_all", unheard=True)

    assert done.returncode == 0
    assert "Applied" in done.stdout
    assert workshop.answer("migrate_all", "--plan")["steps"] == []
