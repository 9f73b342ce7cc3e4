"""Scrubbing indexes of a search engine: segments merged without their deleted documents, and a flush."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from accord.errors import StoreRefused
from gdpr.datamap.entries import Entry
from gdpr.stores.scrubs import Refusal, ScrubAct, Scrubbed
from searchindex.transport import RequestRefused, Transport, at

Indexes = Mapping[str, Mapping[str, Any]]
"""Definitions of indexes, by their names."""
_PATIENCE = 600.0
"""Seconds without a byte: a merge answers when it is done."""


class ScrubsIndexes(ABC):
    """An adapter of a search server, as far as it scrubs."""

    @property
    @abstractmethod
    def _transport(self) -> Transport: ...

    @abstractmethod
    def concrete(self, entry: Entry) -> Indexes:
        """Return every index that holds an entry's documents, with its definition."""

    def scrub(self, entries: Sequence[Entry]) -> Sequence[Scrubbed]:
        """Merge and flush each index that holds entries' documents, once."""
        indexes = dict.fromkeys(index for entry in entries for index in self.concrete(entry))
        return [act for index in indexes for act in _index(self._transport, index)]


def _index(transport: Transport, index: str) -> list[Scrubbed]:
    merge = f"{at(index, '_forcemerge')}?only_expunge_deletes=true&flush=true"
    flush = f"{at(index, '_flush')}?force=true&wait_if_ongoing=true"
    return [
        _done(transport, merge, ScrubAct.MERGE, index),
        _done(transport, flush, ScrubAct.FLUSH, index),
    ]


def _done(transport: Transport, path: str, act: ScrubAct, index: str) -> Scrubbed:
    try:
        transport.request("POST", path, timeout=_PATIENCE)
    except StoreRefused:
        return Scrubbed(act=act, target=index, refusal=Refusal.RIGHT)
    except RequestRefused:
        return Scrubbed(act=act, target=index, refusal=Refusal.ENGINE)
    return Scrubbed(act=act, target=index)
