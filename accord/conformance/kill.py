"""What every adapter has to hold when its process is killed at any moment."""

from __future__ import annotations

import os
import random
import subprocess
import time
from pathlib import Path

from accord.conformance.harness import Harness
from accord.conformance.suite import apply_all


class KillConformance:
    """
    What a store promises to whoever is killed; the harness works in processes of its own.

    Attributes:
        rounds: How many kills of applying, and of reverting, are tried.
    """

    rounds = 3

    def test_killed_process_leaves_what_a_rerun_completes(self, harness: Harness) -> None:
        """SIGKILL at random moments of applying and reverting; the rerun ends as if nothing had been."""
        seed = int(os.environ.get("ACCORD_SEED", random.randrange(10**6)))
        print(f"ACCORD_SEED={seed}")  # noqa: T201 - a failing seed must be seen
        chance = random.Random(seed)
        apply_all(harness, harness.store(), 2)
        expected = harness.observe()
        duration = _measured(harness, "revert", harness.step_names[1])
        apply_all(harness, harness.store(), 2)

        for _ in range(self.rounds):
            for action in ("revert", "apply"):
                _kill_after(chance.uniform(0.3, 1.0) * duration, harness, action, harness.step_names[1])
                _finish(harness, action, harness.step_names[1])

        assert harness.observe() == expected


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path.cwd())}


def _measured(harness: Harness, action: str, step_name: str) -> float:
    started = time.monotonic()
    _finish(harness, action, step_name)
    return time.monotonic() - started


def _finish(harness: Harness, action: str, step_name: str) -> None:
    done = subprocess.run(
        [*harness.script(action), step_name],
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def _kill_after(seconds: float, harness: Harness, action: str, step_name: str) -> None:
    process = subprocess.Popen(
        [*harness.script(action), step_name],
        env=_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
