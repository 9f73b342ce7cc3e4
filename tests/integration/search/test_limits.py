"""What a cluster has no room for is told before; on a server of its own, because its limits are lowered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from accord.embedded import EmbeddedCluster
from accord.seam.foretelling import Foretold, Outlook
from accord.seam.types import Direction
from tests.fix_search import MakeHarness, lease

pytestmark = pytest.mark.integration

_REVISION = "import searchindex as search\n\nclass Migration(search.Migration):\n    operations = [{}]\n"
_MARKS = "cluster.routing.allocation.disk.watermark"
_LOOKED_AT = "cluster.routing.allocation.disk.threshold_enabled"


def _limit(url: str, **settings: object) -> None:
    body = json.dumps({"transient": {name.replace("__", "."): value for name, value in settings.items()}})
    headers = {"Content-Type": "application/json"}
    request = Request(f"{url}/_cluster/settings", body.encode(), headers, method="PUT")  # noqa: S310 - http
    urlopen(request, timeout=30).close()  # noqa: S310 - as above


@pytest.fixture
def own_url(tmp_path: Path) -> Iterator[str]:
    """Give the address of a server that nobody else uses."""
    cluster = EmbeddedCluster(tmp_path / "own", ["elasticsearch"], die_with_parent=True)
    cluster.start()
    yield cluster.urls()["elasticsearch"]
    cluster.stop()


def test_full_disks_and_too_many_shards_are_foretold(own_url: str, make_search_harness: MakeHarness) -> None:
    """Each watermark by its name, as a warning; a cluster without a place for shards as a refusal."""
    texts = {"0001_tracks": 'search.CreateIndex("tracks")', "0002_copy": 'search.Reindex("tracks")'}
    harness = make_search_harness(own_url, {name: _REVISION.format(text) for name, text in texts.items()})
    harness.store().apply(harness.step("0001_tracks"), lease())

    def look() -> list[Foretold]:
        return list(harness.store().foretell([harness.step("0002_copy")], Direction.APPLY))

    _check_disks(own_url, look)
    _check_shards(own_url, look)


def _check_disks(url: str, look: Callable[[], list[Foretold]]) -> None:
    marks = [f"{_MARKS}.{name}" for name in ("low", "high", "flood_stage")]
    told = []
    for passed in range(4):
        # By bytes that have to be free: more than any disk has, or next to nothing.
        asked = {**dict.fromkeys(marks[:passed], "900tb"), **dict.fromkeys(marks[passed:], "1b")}
        _limit(url, **{_LOOKED_AT: True}, **asked)
        told.append([item.text for item in look() if item.outlook is Outlook.WARNING])
    _limit(url, **dict.fromkeys((*marks, _LOOKED_AT)))

    assert [len(texts) for texts in told] == [0, 1, 1, 1]
    words = ("low watermark", "high watermark", "flood stage")
    assert [word in texts[0] for word, texts in zip(words, told[1:], strict=True)] == [True] * 3


def _check_shards(url: str, look: Callable[[], list[Foretold]]) -> None:
    _limit(url, cluster__max_shards_per_node=1)
    refused = [item for item in look() if item.outlook is Outlook.REFUSED]
    _limit(url, cluster__max_shards_per_node=None)

    assert [("shards" in item.text, "cluster.max_shards_per_node" in item.hint) for item in refused] == [
        (True, True)
    ]
    assert not [item for item in look() if item.outlook is Outlook.REFUSED]
