"""What changed between two versions of a notice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gdpr.screens.wording import compare


def test_changed_words_stand_beside_each_other() -> None:
    """What was removed comes before what was added in its place; the rest stays as it is."""
    pieces = compare("We write once a month.", "We write every week.")

    assert [(piece.kind, piece.text) for piece in pieces] == [
        ("same", "We write "),
        ("removed", "once a month."),
        ("added", "every week."),
    ]


def test_same_words_have_no_change() -> None:
    """A text compared with itself is one piece; nothing compared with nothing is none."""
    assert [piece.kind for piece in compare("The same.", "The same.")] == ["same"]
    assert compare("", "") == []


@given(st.text(alphabet="ab \n", max_size=60), st.text(alphabet="ab \n", max_size=60))
def test_both_versions_can_be_read_off_the_changes(old: str, new: str) -> None:
    """Without the added pieces stands the old text, without the removed ones the new one."""
    pieces = compare(old, new)

    assert "".join(piece.text for piece in pieces if piece.kind != "added") == old
    assert "".join(piece.text for piece in pieces if piece.kind != "removed") == new
