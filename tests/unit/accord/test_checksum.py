from __future__ import annotations

import pytest

from accord.seam.checksum import checksum, same_content

SOURCE = '''"""Say why."""
import os
import sys


class Migration:
    """A docstring."""

    steps = [1, "two", None]

    def run(self, items: list[int]) -> int:
        """Count."""
        return len(items)  # counted
'''


def test_value_is_pinned() -> None:
    """Algorithm 1 must give this value for ever: ledgers hold it."""
    assert checksum("x = 1\n") == ("1:81b802cecebbca3cb375b05cad959b5401dd145693dffb76c2b603647017dcc4")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  # counted", ""),
        ('"""Count."""', '"""Say how many there are."""'),
        ('"""Say why."""\n', ""),
        ("import os\nimport sys", "import sys\nimport os"),
        ('[1, "two", None]', "[\n        1,\n        'two',\n        None,\n    ]"),
    ],
)
def test_comments_docstrings_and_layout_do_not_count(old: str, new: str) -> None:
    """What changes nothing of the program changes nothing of the checksum."""
    assert checksum(SOURCE.replace(old, new)) == checksum(SOURCE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"two"', '"three"'),
        ("None]", "True]"),
        ("len(items)", "sum(items)"),
        ("import os\n", ""),
        ("1,", "1.0,"),
    ],
)
def test_any_change_of_the_program_counts(old: str, new: str) -> None:
    """Another value, type, call or import is another checksum."""
    assert checksum(SOURCE.replace(old, new)) != checksum(SOURCE)


def test_unparsable_source_has_a_checksum() -> None:
    """A file with a syntax error can still be compared."""
    assert checksum("def (") != checksum("def ((")


def test_recorded_value_is_compared_by_its_own_algorithm() -> None:
    """An unknown algorithm never counts as equal."""
    assert same_content(checksum(SOURCE), SOURCE)
    assert not same_content("99:" + checksum(SOURCE).partition(":")[2], SOURCE)
