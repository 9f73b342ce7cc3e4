"""Files of exports and imports as somebody else may have made them, or a kill has left them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
from pathlib import Path

import pytest

from accord.bulk import dead_letters, records, sources
from accord.bulk.errors import BulkFileError, ImportUnderWay
from accord.bulk.privacy import _spellings
from accord.bulk.progress import held
from accord.seam.bulk import FileFormat
from tests.chance import chance


def _file(form: FileFormat) -> bytes:
    """Make a file of records of very different lengths."""
    dice = chance(f"batches of {form}")
    texts = ["x" * dice.choice([0, 3, 40, 900]) for _ in range(300)]
    if form is FileFormat.CSV:
        return "".join(f'{number},"{text}\n""{text}"\n' for number, text in enumerate(texts)).encode()
    if form is FileFormat.BSON:
        bodies = [text.encode() + b"\0" for text in texts]
        return b"".join((len(one) + 4).to_bytes(4, "little") + one for one in bodies if len(one) > 1)
    lines = [json.dumps({"t": text}) for text in texts]
    return "\n".join(lines if form is FileFormat.JSONL else ["{}\n" + line for line in lines]).encode()


@pytest.mark.parametrize("form", [FileFormat.CSV, FileFormat.BSON, FileFormat.JSONL, FileFormat.NDJSON])
def test_an_import_that_goes_on_has_the_batches_of_the_one_that_was_killed(form: FileFormat) -> None:
    """A record without a key gets one that follows from its place in its batch: it must not come twice."""
    data = _file(form)
    every = list(records.batches(io.BytesIO(data), form, 500))
    at = 0
    for number, batch in enumerate(every):
        assert list(records.batches(io.BytesIO(data[at:]), form, 500)) == every[number:]
        at += len(batch)

    assert b"".join(every) == data
    assert len(every) > 50


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        (b"1,two,3\r\n", ["1", "two", "3"]),
        (b'4"2",x"y"z,""\n', ["42", "xyz", ""]),
        (b'"a\n""b""",,"\r"\n', ['a\n"b"', "", "\r"]),
        (b'7,"open\n', []),
        (b"7,\xe9\n", []),
        (b"7," + b"x" * 200_000, ["7", "x" * 200_000]),
    ],
    ids=["plain", "quotes within", "quoted", "open", "latin", "long"],
)
def test_rows_are_read_as_copy_reads_them(row: bytes, cells: list[str]) -> None:
    """Else the row of somebody who was erased would be taken for nobody's; what COPY refuses is empty."""
    assert records.rows([row], FileFormat.CSV, ["a", "b", "c"]) == [dict(zip("abc", cells, strict=False))]


def test_whose_a_row_is_follows_from_what_the_server_makes_of_it() -> None:
    """Numbers as PostgreSQL reads them, and those that Python doesn't read; what can't be told is refused."""
    long = b'{"who": 42, "n": ' + b"9" * 5000 + b"}"
    assert records.rows([long], FileFormat.JSONL, ["who", "n"])[0]["who"] == 42
    assert {42, "0x2A"} <= _spellings(["0x2A"])
    assert 42 in _spellings([" 042"])
    deep = b'{"who": 42, "n": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    for record, form in ((deep, FileFormat.JSONL), (b"1,x\r2,y\r", FileFormat.CSV)):
        with pytest.raises(BulkFileError, match="whose it is"):
            records.rows([record], form, ["who", "n"])


def test_dead_letters_are_written_over_nothing_else(tmp_path: Path) -> None:
    """Neither over a file of somebody's, nor through a link, nor to a pipe; and its owner alone reads it."""
    other, link, pipe = tmp_path / "tracks.csv", tmp_path / "link", tmp_path / "pipe"
    other.write_text("id\n1\n")
    link.symlink_to(other)
    os.mkfifo(pipe)
    for path in (other, link, pipe):
        with pytest.raises(BulkFileError), dead_letters.opened(path) as letters:
            letters.go_back(0)
    assert other.read_text() == "id\n1\n"

    own = tmp_path / "own.jsonl"
    own.write_text('{"file": "cut')
    own.chmod(0o644)
    with dead_letters.opened(own) as letters:
        letters.go_back(0)
        letters.write([dead_letters.DeadLetter(file="a", line=1, reason="no", record=b"1")])
    assert own.stat().st_mode & 0o777 == 0o600
    assert json.loads(own.read_text())["row"] == "1"


def test_two_imports_write_no_dead_letters_over_each_other(tmp_path: Path) -> None:
    """The second one is refused before it cuts anything off; empty, the file is gone in the end."""
    path = tmp_path / "dead.jsonl"
    with dead_letters.opened(path):
        with pytest.raises(ImportUnderWay), dead_letters.opened(path):
            pass
        assert path.exists()
    assert not path.exists()


def test_a_manifest_names_files_beside_it_alone(tmp_path: Path) -> None:
    """Nothing elsewhere is read, and a pipe is not waited for."""
    folder = tmp_path / "export"
    folder.mkdir()
    os.mkfifo(folder / "pipe.csv")
    (tmp_path / "secret.csv").write_bytes(b"id\n1\n")
    digest = hashlib.sha256(b"id\n1\n").hexdigest()
    for name in ("../secret.csv", str(tmp_path / "secret.csv"), "pipe.csv", "..", "/dev/zero"):
        part = {"file": name, "rows": 1, "bytes": 5, "sha256": digest, "snapshot": ""}
        told = {
            **dict.fromkeys(("accord", "made_at", "store", "kind", "name", "query"), ""),
            "schema": "accord.bulk/1",
            "format": "csv",
            "compression": "none",
            "parts": [part],
            "columns": [{"name": "id", "type": ""}],
            "key": [],
            "masked": [],
        }
        (folder / "manifest.json").write_text(json.dumps(told))
        with pytest.raises(BulkFileError, match="no file beside it"):
            sources.read(folder)


@pytest.mark.parametrize("name", ["bomb.csv.gz", "bomb.jsonl.gz"])
def test_a_line_without_an_end_is_not_read_whole(tmp_path: Path, name: str) -> None:
    """A small compressed file may be a huge one."""
    with gzip.open(tmp_path / name, "wb", compresslevel=1) as file:
        for _ in range(70):
            file.write(bytes(1 << 20))

    with pytest.raises(BulkFileError, match="has no end"):
        sources.read(tmp_path / name)


def test_what_can_not_be_gone_on_with_can_be_begun_again(tmp_path: Path) -> None:
    """The refusal says --anew, and that helps."""
    (tmp_path / "under-way.json").write_text("{")
    with held(tmp_path) as folder:
        with pytest.raises(BulkFileError, match="how far"):
            folder.read("asked", resume=False, anew=False)
        assert folder.read("asked", resume=False, anew=True).slices == ()
        assert not list(tmp_path.iterdir())
