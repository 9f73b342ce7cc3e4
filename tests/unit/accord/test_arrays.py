"""Lists as the text of an array."""

from __future__ import annotations

import pytest

from accord import arrays


def test_numbers_and_truth_values_stand_as_they_are() -> None:
    """Nothing in them means anything to an array."""
    assert arrays.of_numbers([1, -2, 2**62]) == "{1,-2,4611686018427387904}"
    assert arrays.of_numbers([True, False]) == "{True,False}"
    assert arrays.of_numbers([]) == arrays.of_texts([]) == "{}"


def test_signs_of_an_array_are_written_as_parts_of_a_text() -> None:
    """A comma, a brace, a quote, a backslash and the word NULL are texts like others."""
    assert arrays.of_texts(["a,b", 'c"d', "e\\", "{}", "NULL", ""]) == r'{"a,b","c\"d","e\\","{}","NULL",""}'


def test_bytes_are_written_as_digits() -> None:
    """No byte stands there as it is."""
    assert arrays.of_bytes([b"own:", b'\0"', b""]) == r'{"\\x6f776e3a","\\x0022","\\x"}'


def test_a_text_that_postgresql_refuses_is_refused() -> None:
    """It would fall into two."""
    with pytest.raises(ValueError, match="zero character"):
        arrays.of_texts(["a", "b\0c"])
