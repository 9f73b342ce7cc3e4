"""Files of exports: tables that no spreadsheet runs, and names that nobody finds half written."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gdpr.errors import ExportRefused
from gdpr.export import ExportFormat, fill
from gdpr.export_csv import harmless, write_archive
from gdpr.export_files import PART, new_file


def part(name: str, *rows: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"id": name, "purpose": f"Of {name}.", "rows": list(rows)}


def content(*parts: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"schema": "accord.export/1", "made_at": "2026-11-27T21:00:00+00:00", "parts": list(parts)}


def unpacked(*parts: Mapping[str, Any]) -> Mapping[str, str]:
    file = io.BytesIO()
    write_archive(content(*parts), file)
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode() for name in archive.namelist()}


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


# --- tables ------------------------------------------------------------------------------------------


def test_each_entry_is_a_table_and_the_rest_is_told_beside_it() -> None:
    """Rows of one place stand in one file; purposes and the places without data in another."""
    found = unpacked(
        part("plays", {"id": 1, "at": "2026-01-31"}, {"id": 2, "note": 'é, "so"\nit goes'}), part("empty")
    )

    assert list(found) == ["01-plays.csv", "about.json"]
    assert rows(found["01-plays.csv"]) == [
        ["id", "at", "note"], ["1", "2026-01-31", ""], ["2", "", 'é, "so"\nit goes']
    ]  # fmt: skip
    about = json.loads(found["about.json"])["parts"]
    assert [(one["id"], one["file"], one["purpose"]) for one in about] == [
        ("plays", "01-plays.csv", "Of plays."), ("empty", None, "Of empty.")
    ]  # fmt: skip
    assert "rows" not in about[0]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\uff1d1", "\u3000=1"]
)
def test_text_that_a_spreadsheet_would_run_is_marked_as_text(text: str) -> None:
    """In a cell, in a cell's list, and as the name of a field, whoever wrote it."""
    table = rows(unpacked(part("one", {text: text}))["01-one.csv"])

    assert table == [[f"'{text}"], [f"'{text}"]]


@pytest.mark.parametrize("text", ["", "a=1", "é", "1-1", "a@b.org", "[-1]"])
def test_other_text_stays_as_it_is(text: str) -> None:
    """Who takes the data along finds what was kept."""
    assert harmless(text) == text


def test_numbers_lists_and_nothing_are_written_as_such() -> None:
    """A negative number is one, not a formula; what has parts is JSON."""
    [_, cells] = rows(
        unpacked(part("one", {"a": -5, "b": None, "c": True, "d": [1, {"e": "ü"}]}))["01-one.csv"]
    )

    assert cells == ["-5", "", "true", '[1, {"e": "ü"}]']


@pytest.mark.parametrize("name", ["../../etc/cron.d/one", ".hidden", "a b/c"])
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    """Ids are the project's own words; an archive is unpacked by others."""
    [table, _about] = unpacked(part(name, {"id": 1}))

    assert "/" not in table
    assert table.startswith("01-")


def test_text_that_is_no_unicode_is_escaped() -> None:
    """Half a character, as a search engine may keep one, breaks no format; JSON says what it was."""
    half = content(part("one", {"a": "\ud800"}))
    files = {form: io.BytesIO() for form in (ExportFormat.JSON, ExportFormat.CSV)}
    for form, file in files.items():
        fill(half, form, file)

    assert json.loads(files[ExportFormat.JSON].getvalue())["parts"][0]["rows"] == [{"a": "\ud800"}]
    assert b"\\ud800" in zipfile.ZipFile(files[ExportFormat.CSV]).read("01-one.csv")


# --- names -------------------------------------------------------------------------------------------


def test_file_is_its_owners_alone_and_takes_no_name_that_is_there(tmp_path: Path) -> None:
    """The second one of a second gets a number; a link that somebody laid is not followed."""
    (tmp_path / "export-2.json").symlink_to(tmp_path / "elsewhere")

    made = [new_file(tmp_path, "export", "json", lambda file: file.write(b"{}")) for _ in range(2)]

    assert [path.name for path in made] == ["export.json", "export-3.json"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o600}
    assert not (tmp_path / "elsewhere").exists()


def test_what_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    """A disk that is full: no file, and no part of one."""

    def full(file: Any) -> None:
        file.write(b"half of")
        raise OSError(28, "No space left on device")

    with pytest.raises(ExportRefused, match="No space left"):
        new_file(tmp_path, "export", "json", full)

    assert list(tmp_path.iterdir()) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from gdpr.export_files import new_file
def fill(file):
    file.write(b"half of")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
new_file(Path(sys.argv[1]), "export", "json", fill)
"""


def test_what_is_killed_half_way_has_no_name(tmp_path: Path) -> None:
    """What is left is hidden, for its owner alone, and said to be a part."""
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path], env=os.environ, check=False)

    [left] = tmp_path.iterdir()
    assert done.returncode == -9
    assert (left.name[0], left.suffix, stat.S_IMODE(left.stat().st_mode)) == (".", PART, 0o600)
