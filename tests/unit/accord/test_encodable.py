"""What a terminal can't take is written in letters that it can."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from accord.cli.encodable import make_encodable, plain

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("text", "written"),
    [("└─ “a” … →", '`- "a" ... ->'), ("Müller, Łódź", "Muller, ?odz"), ("東", "?"), ("plain", "plain")],
)
def test_text_is_written_plainly(text: str, written: str) -> None:
    """Quotes and lines as one types them, letters without their marks, and a question mark for the rest."""
    assert plain(text) == written


def test_stream_takes_what_its_encoding_lacks() -> None:
    """A stream of ASCII does, and one that lacks a single letter replaces that one only."""
    for encoding, written in (("ascii", b'"e" ...'), ("latin-1", b'"\xe9" ...')):
        raw = io.BytesIO()
        stream = io.TextIOWrapper(raw, encoding=encoding, errors="strict")
        make_encodable(stream, io.StringIO())
        stream.write("“é” …")
        stream.flush()
        assert raw.getvalue() == written


def test_signs_of_the_suite_have_a_form_of_their_own() -> None:
    """No sign that the suite's own texts are written with becomes a question mark."""
    packages = ("accord", "gdpr", "migrator", "mongo_migrations", "searchindex")
    text = "".join(
        path.read_text(encoding="utf-8") for name in packages for path in sorted((ROOT / name).rglob("*.py"))
    )
    signs = {sign for sign in re.findall(r"[^\x00-\x7f]", text) if not sign.isalnum() and plain(sign) == "?"}

    assert not signs
