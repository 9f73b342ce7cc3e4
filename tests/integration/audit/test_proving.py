"""One event's place in the trail is proved to whoever has the public key, as the page says."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from accord.secrets import signing
from tests.fix_trail import ROOT, Trail

pytestmark = pytest.mark.integration

PAGE = ROOT / "docs" / "explanation" / "audit.md"


def procedure() -> str:
    """Give the program that the page shows."""
    section = PAGE.read_text().split("## Proving one event")[1]
    found = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert found is not None
    return found[1]


def prove(*arguments: str) -> Mapping[str, Any]:
    """Ask the command for a proof."""
    out = io.StringIO()
    call_command("audit_verify", "--prove", *arguments, "--format", "json", stdout=out)
    document: Mapping[str, Any] = json.loads(out.getvalue())
    return document


def check(proof: object, folder: Path, key: str = "") -> tuple[int, str]:
    """Follow the page's procedure, far from the database and the project."""
    file = folder / "proof.json"
    file.write_text(json.dumps(proof))
    done = subprocess.run(
        [sys.executable, "-I", "-c", procedure(), str(file), key or signing.public_key()],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_procedure_is_short() -> None:
    """Whoever checks reads all of it."""
    assert len([line for line in procedure().splitlines() if line.strip()]) <= 13


def test_proof_holds_by_the_procedure_of_the_page(trail: Trail, tmp_path: Path) -> None:
    """By the head of its own commit, and over events behind it by a head that came later."""
    trail.record(5)
    assert check(prove("3"), tmp_path) == (0, "event 3 is in the trail that ends with event 3\n")

    trail.file.write_text(trail.file.read_text().splitlines()[-1] + "\n")
    proof = prove("2")
    assert len(proof["path"]) == 3
    assert check(proof, tmp_path) == (0, "event 2 is in the trail that ends with event 5\n")


def test_head_in_the_database_is_enough(trail: Trail, tmp_path: Path) -> None:
    """One that was taken there, after the file was turned over."""
    trail.record(4)
    call_command("audit_verify", "--checkpoint", stdout=io.StringIO())
    trail.record(2)
    trail.file.write_text("")

    assert check(prove("3"), tmp_path) == (0, "event 3 is in the trail that ends with event 4\n")


def changed(proof: Mapping[str, Any], path: str, value: object) -> Mapping[str, Any]:
    """Change one place of a proof."""
    made: dict[str, Any] = json.loads(json.dumps(proof))
    *within, last = path.split(".")
    place: Any = made
    for name in within:
        place = place[name]
    place[int(last) if isinstance(place, list) else last] = value
    return made


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("event.outcome", "failed"),
        ("event.seq", "4"),
        ("event.at", "1"),
        ("event.prev_hash", "0" * 64),
        ("path.0", "0001"),
        ("path", []),
        ("head.size", 6),
        ("head.database", "f" * 32),
        ("head.hash", "0" * 64),
    ],
)
def test_proof_that_was_changed_does_not_hold(trail: Trail, tmp_path: Path, path: str, value: object) -> None:
    """Any part of it, but what is there to be read alone."""
    trail.record(5)
    trail.file.write_text(trail.file.read_text().splitlines()[-1] + "\n")
    proof = prove("2")

    code, said = check(changed(proof, path, value), tmp_path)

    if path == "head.hash":
        # What is signed is what was computed; the copy in the head is for people.
        assert code == 0
    else:
        assert (code, "InvalidSignature" in said) == (1, True)


def test_proof_takes_the_key_that_the_auditor_has(trail: Trail, tmp_path: Path) -> None:
    """The one in the document proves nothing by itself."""
    trail.record()
    other = "A" * 43 + "="

    assert check(prove("1"), tmp_path, other)[0] == 1


@pytest.mark.parametrize(("seq", "code"), [("0", 2), ("4", 2), ("-1", 2)])
def test_event_that_is_not_there_is_not_proved(
    trail: Trail, seq: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message says how many there are."""
    trail.record(3)

    with pytest.raises(SystemExit, match=str(code)):
        call_command("audit_verify", f"--prove={seq}", stdout=io.StringIO())

    assert "1 to 3" in capsys.readouterr().err


def test_nothing_is_proved_without_a_head_or_from_a_broken_trail(
    trail: Trail, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first is mended by signing one; the second isn't."""
    trail.record(3)
    heads = trail.file.read_text()
    trail.file.write_text("")
    with pytest.raises(SystemExit, match="1"):
        call_command("audit_verify", "--prove", "2", stdout=io.StringIO())
    assert "--checkpoint" in capsys.readouterr().err

    trail.file.write_text(heads.splitlines()[-1] + "\n")
    trail.attack("UPDATE accord_auditevent SET outcome = 'failed' WHERE seq = 2")
    with pytest.raises(SystemExit, match="6"):
        prove("2")
