"""What a test run leaves behind when it is killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
RUN = """
import subprocess, sys
from tests.children import die_with_parent
child = subprocess.Popen(
    [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"],
    preexec_fn=die_with_parent,
)
child.wait()
"""
SECONDS = 10


def test_server_of_a_killed_run_ends() -> None:
    """SIGKILL lets no fixture clean up; the kernel ends what the run has started."""
    run = subprocess.Popen([sys.executable, "-c", RUN], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    assert run.stdout.readline() == "up\n"

    run.kill()

    # The pipe ends when the last process that holds it has ended.
    rest, _ = run.communicate(timeout=SECONDS)
    assert rest == ""
