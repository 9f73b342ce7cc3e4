"""How facts look on a page."""

from __future__ import annotations

import pytest
from django.utils.translation import override

from accord.display import lasting


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["0.05 s", "0:01:01", "-"]),
        ("fr", ["0,05 s", "0:01:01", "-"]),
        ("de", ["0,05 s", "0:01:01", "-"]),
    ],
)
def test_a_duration_has_the_readers_decimal_mark(language: str, said: list[str]) -> None:
    """Parts of a second, a minute and more, and what nobody knows."""
    with override(language):
        assert [lasting(seconds) for seconds in (0.05, 61.2, None)] == said
