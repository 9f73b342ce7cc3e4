"""What is decided of a server's answers before a copy."""

from __future__ import annotations

from searchindex.looks import long_names


def test_length_of_a_name_is_counted_in_bytes() -> None:
    """As servers do."""
    assert long_names(["n" * 255]) == ""
    assert long_names(["n", "ü" * 128]) == "ü" * 128
