"""What is said of a file that isn't Python, and of an error of ours in somebody's test."""

from __future__ import annotations

from pathlib import Path

import pytest

from accord import pytest_plugin
from accord.errors import RevisionUnreadable
from migrator.alembic.scripts import read
from migrator.errors import UnknownApp


@pytest.mark.parametrize(
    ("text", "place"), [("def (", "0001_r.py, line 1: "), ("x = 1\n(", "line 2: "), ("\0", "0001_r.py: ")]
)
def test_the_line_is_named_where_there_is_one(tmp_path: Path, text: str, place: str) -> None:
    """A byte that no source may have stands in none."""
    path = tmp_path / "0001_r.py"
    path.write_text(text)

    with pytest.raises(RevisionUnreadable) as caught:
        read(path)

    assert str(path) in caught.value.message
    assert place in caught.value.message
    assert "None" not in caught.value.message


class CodedError(Exception):
    """Somebody else's, with a code of its own."""

    code = 7
    hint = "Theirs."


@pytest.mark.parametrize(
    ("error", "notes"), [(UnknownApp("No app.", hint="Apps: shop."), ["Apps: shop."]), (CodedError(), [])]
)
def test_pytest_shows_the_hint_of_our_errors(error: Exception, notes: list[str]) -> None:
    """Below the message; errors of others stay as they are."""
    running = pytest_plugin.pytest_runtest_call()
    next(running)

    with pytest.raises(type(error)):
        running.throw(error)

    assert getattr(error, "__notes__", []) == notes
