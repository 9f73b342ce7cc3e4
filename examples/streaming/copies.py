"""Which indexes are filled from tables, by `bulk_copy`: venues, with the place that searches ask for."""

from __future__ import annotations

from typing import Any

from accord.bulk.copies import Copy, From, Into


def located(venue: dict[str, Any]) -> dict[str, Any]:
    """Bring latitude and longitude together, as the mapping has them."""
    place = {"lat": venue.pop("latitude"), "lon": venue.pop("longitude")}
    return {**venue, "location": place}


COPIES = [
    Copy(
        name="venues",
        source=From(
            store="default",
            name="streaming.Venue",
            columns=("name", "city", "country", "latitude", "longitude", "capacity"),
        ),
        target=Into(store="search", name="venues"),
        row="examples.streaming.copies.located",
    ),
]
