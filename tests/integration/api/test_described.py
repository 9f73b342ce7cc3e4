"""The API against its own description: what schemathesis thinks of must be answered as described."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fix_api import Served

pytestmark = [pytest.mark.integration, pytest.mark.slow]

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
SLOW = ("health", "plan", "plan_approvals_retrieve")
"""Operations that read every store, each time."""
SECONDS = 150


def ask_everything(site: str, key: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Have schemathesis send what fits the description, and what doesn't."""
    program = Path(sys.executable).with_name("schemathesis")
    return subprocess.run(
        [
            *(str(program), "run", f"{site}/api/v1/schema/", "--header", f"Authorization: Token {key}"),
            *("--checks", CHECKS, "--mode", "all", "--no-color", "--workers", "2"),
            *("--generation-database", "none"),
            # Whoever deletes the token is a stranger from then on.
            *("--exclude-operation-id", "token_delete"),
            *options,
        ],
        env={**os.environ, "NO_COLOR": "1", "HYPOTHESIS_STORAGE_DIRECTORY": os.devnull},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_answers_are_those_described(served: Served, site: str) -> None:
    """Good and bad input alike: no error of the server, no status, type or field that isn't described."""
    left_out = [part for name in SLOW for part in ("--exclude-operation-id", name)]

    done = ask_everything(
        site, token(served), "--phases", "examples,coverage,fuzzing", "--max-examples", "4", *left_out
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_answers_that_take_reading_every_store_are_those_described(served: Served, site: str) -> None:
    """The same, with fewer examples."""
    chosen = [part for name in SLOW for part in ("--include-operation-id", name)]

    done = ask_everything(site, token(served), "--phases", "fuzzing", "--max-examples", "3", *chosen)

    assert done.returncode == 0, done.stdout + done.stderr


def token(served: Served) -> str:
    """Give the token of an account that may do everything."""
    query = (
        "SELECT key FROM authtoken_token JOIN auth_user ON auth_user.id = user_id WHERE username = 'filer'"
    )
    [(found,)] = served.rows(query)
    return str(found)
