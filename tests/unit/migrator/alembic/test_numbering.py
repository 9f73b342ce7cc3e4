"""Names of new revisions, by number."""

from __future__ import annotations

import pytest

from migrator.alembic.numbering import LONGEST, next_name


@pytest.mark.parametrize(
    ("names", "message", "expected"),
    [
        ([], "Pay labels", "0001_pay_labels"),
        (["0004_splits", "0002_rates"], "Pay labels", "0005_pay_labels"),
        (["0004_splits", "3f2a91c07b5d"], "Pay", "0005_pay"),
        (["3f2a91c07b5d", "123456789012"], "Pay", "0003_pay"),
        (["0009", "0010_x"], "", "0011"),
        (["9999_x"], "On", "10000_on"),
        ([], "Élan: été!", "0001_elan_ete"),
        ([], "支払い", "0001"),
    ],
)
def test_name_follows_the_highest_number(names: list[str], message: str, expected: str) -> None:
    """A history of hashes counts its revisions; what Alembic's table can't hold stays out."""
    assert next_name(names, message) == expected


def test_name_fits_the_table_of_alembic() -> None:
    """Whole words, as many as fit."""
    name = next_name([], "A message that goes on for rather a long time")

    assert name == "0001_a_message_that_goes_on_for"
    assert len(name) <= LONGEST
