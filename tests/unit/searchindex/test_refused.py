"""What of a server's sentence about a document may be told."""

from __future__ import annotations

import pytest

from searchindex.reindex.refused import Refused, read, refusal, shown

_LONG = 'Document contains at least one immense term in field="title" (whose UTF8 encoding is longer'
_FORGED = "failed to parse: failed to parse field [joe] of type [long]"


@pytest.mark.parametrize(
    ("reason", "field", "own_word"),
    [
        ("failed to parse field [at.day] of type [date] in document with id '1'", "at.day", False),
        ("[1:15] failed to parse field [n] of type [long] in document with id '1'", "n", False),
        ("object mapping for [a] tried to parse field [joe] as object, but found a value", "a", False),
        ("[3:9] object mapping for [a] tried to parse field [joe] as object", "a", False),
        ("The [dense_vector] field [v] in doc [document with id '1'] has 2 dimensions", "v", False),
        ("mapper [a.b] cannot be changed from type [long] to [text]", "a.b", False),
        (_LONG, "title", False),
        ("mapping set to strict, dynamic introduction of [b] within [_doc] is not allowed", "b", True),
        ("[1:2] mapping set to strict, dynamic introduction of [b] within [a] is not allowed", "a.b", True),
        ("Preview of field's value: 'failed to parse field [joe] of type [long]'", "", False),
        (_FORGED, "", False),
    ],
)
def test_field_is_read_where_the_server_itself_speaks(reason: str, field: str, own_word: bool) -> None:
    """In the error or in its cause, at the beginning of a sentence: a document may hold any text."""
    for error in ({"type": "k", "reason": reason}, {"type": "k", "caused_by": {"reason": reason}}):
        assert read(400, error, document="7") == Refused(400, "k", "7", field, own_word)


def test_ids_and_fields_are_bounded() -> None:
    """Of many documents the first are told, and how many more there are."""
    refused = [Refused(400, "k", f"id-{number:03}", f"f{number:03}") for number in range(300)]

    told = str(refusal("It refuses 300", refused))

    assert "Fields: f000, f001, f002, f003, f004 and 295 more." in told
    assert "id-009 and 290 more." in told
    assert "id-010" not in told


def test_busy_documents_are_not_listed_with_those_that_are_wrong() -> None:
    """They can be copied as they are."""
    told = str(refusal("It refuses 2", [Refused(429, "busy", "right"), Refused(400, "k", "wrong")]))

    assert "wrong" in told
    assert "right" not in told


def test_id_is_one_short_line() -> None:
    """Whatever somebody wrote into it."""
    assert shown("a\nb", personal=False) == "a?b"
    assert len(shown("x" * 512, personal=False)) == 61
    assert "joe" not in shown("joe", personal=True)
