"""A server of the sample project."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.children import die_with_parent
from tests.fix_api import Served

SITE = Path(__file__).with_name("site.py")


@pytest.fixture(scope="session")
def site(served: Served) -> Iterator[str]:
    """Give the address of a server of the sample project."""
    process = subprocess.Popen(
        [sys.executable, str(SITE)],
        env={**served.project.environment, "LOG_LEVEL": "CRITICAL"},
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - a killed test run must leave no server
    )
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert port, "the site didn't start"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()
