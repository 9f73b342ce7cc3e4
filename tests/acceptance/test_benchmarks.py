"""The benchmark of planning can be run: it needs no server, and breaks unseen otherwise."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_planning_can_be_measured() -> None:
    """Ten thousand steps are planned, and the answer is a document."""
    command = [sys.executable, "benchmarks/planning.py"]
    answer = json.loads(subprocess.check_output(command, cwd=ROOT, timeout=120))
    assert answer["steps"] == 10_000
    assert len(answer["digest"]) == 64
