"""When a disk counts as full: by a part of it, by bytes, and with a cap."""

from __future__ import annotations

from typing import Any

import pytest

from searchindex.room import Watermark, above, kept_free

GB = 2**30
_NAME = "cluster.routing.allocation.disk.watermark."


@pytest.mark.parametrize(
    ("settings", "gigabytes"),
    [
        ({}, 150),
        ({"low": "85%"}, 150),
        ({"low": "0.9"}, 100),
        ({"low": "1"}, 0),
        ({"low": "20gb"}, 20),
        ({"low": "512mb"}, 0.5),
        ({"low": "85%", "low.max_headroom": "100GB"}, 100),
        ({"low": "99%", "low.max_headroom": "100GB"}, 10),
        ({"low": "85%", "low.max_headroom": "-1"}, 150),
    ],
)
def test_watermark_is_read_in_every_form(settings: dict[str, Any], gigabytes: float) -> None:
    """Of a disk of 1,000 GB so much has to be free."""
    named = {f"{_NAME}{name}": value for name, value in settings.items()}

    assert kept_free(named, Watermark.LOW, 1000 * GB) == pytest.approx(gigabytes * GB)


def test_fuller_disk_is_above_more_of_them() -> None:
    """From below all of them to the flood stage."""
    left = (200, 120, 70, 20, -5)

    found = [above({}, free * GB, 1000 * GB) for free in left]

    assert [len(marks) for marks in found] == [0, 1, 2, 3, 3]
    assert found[2] == [Watermark.LOW, Watermark.HIGH]
