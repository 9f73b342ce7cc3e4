"""The API against its own description: what schemathesis thinks of must be answered as described."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.chance import moments
from tests.fix_api import Served

pytestmark = [pytest.mark.integration, pytest.mark.slow]

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
SLOW = ("health", "plan", "plan_approvals_retrieve", "retention", "restores", "restores_begin")
"""Operations that read every store, each time."""
SECONDS = 240
HALF = "/(erasure-requests|consents|holds|restores|token)/"
"""About half of the operations: one run would ask for longer than a test may take."""
AskEverything = Callable[..., subprocess.CompletedProcess[str]]


PARAMETERS = """
hold = send("filer", "holds/", {"subject": subject(other), "reason": "authority"}).json()["reference"]
run = ask("filer", "runs/").json()["results"][0]["id"]
request = planned(key)["reference"]
restricted = send("filer", "restrictions/", {"subject": subject(other), "reason": "18(1)(c)"}).json()
right = {"subject": subject(other), "kind": "correction", "words": "I moved"}
right = send("filer", "rights-requests/", right).json()["reference"]
say({"erasure-requests": {"reference": request}, "holds": {"reference": hold}, "runs": {"id": run},
     "restrictions": {"reference": restricted["reference"]}, "rights-requests": {"reference": right}})
"""
"""Something that is there, so that examples get past looking for it."""


@pytest.fixture
def ask_everything(served: Served, site: str, listener: int, tmp_path: Path) -> AskEverything:
    """Give a function that has schemathesis send what fits the description, and what doesn't."""
    found = served.call(PARAMETERS, key=listener, other=next(served.keys))
    config = tmp_path / "schemathesis.toml"
    config.write_text("\n".join(_operations(path, values) for path, values in found.items()))

    def ask(*options: str) -> subprocess.CompletedProcess[str]:
        program = Path(sys.executable).with_name("schemathesis")
        return subprocess.run(
            [
                *(str(program), "--config-file", str(config), "run", f"{site}/api/v1/schema/"),
                *("--header", f"Authorization: Token {token(served)}", "--checks", CHECKS, "--mode", "all"),
                *("--workers", "2", "--no-color", "--generation-database", "none"),
                # Whoever deletes the token is a stranger from then on.
                *("--exclude-operation-id", "token_delete"),
                *options,
            ],
            cwd=tmp_path,
            env={**os.environ, "HYPOTHESIS_STORAGE_DIRECTORY": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    return ask


def _operations(path: str, values: Mapping[str, str]) -> str:
    parameters = ", ".join(f'"{name}" = "{value}"' for name, value in values.items())
    return f'[[operations]]\ninclude-path-regex = "/{path}/"\nparameters = {{ {parameters} }}\n'


@pytest.mark.by_turns(4)
@pytest.mark.parametrize("half", ["--include-path-regex", "--exclude-path-regex"])
def test_answers_are_those_described(ask_everything: AskEverything, half: str) -> None:
    """Good and bad input alike: no error of the server, no status, type or field that isn't described."""
    left_out = [part for name in SLOW for part in ("--exclude-operation-id", name)]
    chosen = ("--phases", "coverage,fuzzing", "--max-examples", str(moments(4, 2)), half, HALF)

    done = ask_everything(*chosen, *left_out)

    assert done.returncode == 0, done.stdout + done.stderr


def test_answers_that_take_reading_every_store_are_those_described(ask_everything: AskEverything) -> None:
    """The same, with fewer examples."""
    chosen = [part for name in SLOW for part in ("--include-operation-id", name)]

    done = ask_everything("--phases", "fuzzing", "--max-examples", str(moments(3, 1)), *chosen)

    assert done.returncode == 0, done.stdout + done.stderr


def token(served: Served) -> str:
    """Make a token of an account that may do everything."""
    return str(served.call('say(token_of("filer"))'))
