"""What is decided of a server's answers before a copy."""

from __future__ import annotations

import pytest

from searchindex.looks import long_names, watermark

_LOW = "cluster.routing.allocation.disk.watermark.low"


@pytest.mark.parametrize(
    ("value", "part"), [("85%", 0.85), ("90.5%", 0.905), ("0.7", 0.7), ("10gb", 0.85), ("", 0.85)]
)
def test_watermark_is_read_as_a_part_of_the_disk(value: str, part: float) -> None:
    """In bytes it says nothing of a part, so the usual one counts."""
    assert watermark({_LOW: value}) == pytest.approx(part)


def test_length_of_a_name_is_counted_in_bytes() -> None:
    """As servers do."""
    assert long_names(["n" * 255]) == ""
    assert long_names(["n", "ü" * 128]) == "ü" * 128
