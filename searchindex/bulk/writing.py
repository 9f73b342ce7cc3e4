"""Writing an index by bulk requests: every item of an answer is read, and the position follows behind."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any
from zlib import crc32

from accord.bulk.records import split
from accord.errors import StoreUnavailable
from accord.seam.bulk import Dead, Mode, Position, Settle, Target, Written
from searchindex.bulk.lines import Document, read
from searchindex.bulk.positions import Positions
from searchindex.engines.base import Engine
from searchindex.limits import BUSY
from searchindex.transport import Transport, at
from searchindex.views import pages

_ACTIONS = {Mode.INSERT: "create", Mode.UPSERT: "index", Mode.MERGE: "update"}
_TURNED_AWAY = frozenset({429, 503})
_MOST_HANDS = 4
_TRIES, _FIRST_PAUSE, _LONGEST_PAUSE = 9, 0.25, 8.0
Numbered = Mapping[int, Document]
"""Documents by the number of their record."""


@dataclass
class Pace:
    """
    How many requests are under way at once: one more after each batch, half of them when the server is busy.

    Attributes:
        hands: That number.
    """

    hands: int = 2

    def adapt(self, *, busy: bool) -> None:
        """Learn from a batch."""
        self.hands = max(1, self.hands // 2) if busy else min(_MOST_HANDS, self.hands + 1)


@dataclass(frozen=True)
class IndexWriting:
    """
    An index that is being written.

    Attributes:
        transport: Connection.
        engine: What answers there.
        index: Physical index.
        positions: How far it is.
        target: Where to, and how.
        import_id: Stands for the import.
        pace: How many requests are under way at once.
    """

    transport: Transport
    engine: Engine
    index: str
    positions: Positions
    target: Target
    import_id: str
    pace: Pace = field(default_factory=Pace)

    def position(self) -> Position | None:
        """Return how far it is."""
        return self.positions.read()

    def restart(self, before: Position) -> Position:
        """Begin again."""
        self.positions.move(before, Position())
        return Position()

    def finish(self, before: Position) -> Position:
        """Let searches see what came in, and keep that all is done."""
        self.transport.request("POST", at(self.index, "_refresh"))
        done = replace(before, finished=True)
        self.positions.move(before, done)
        return done

    def documents(self, records: Sequence[bytes]) -> Sequence[Mapping[str, Any]]:
        """Read records as documents."""
        return [self._plain(record) for record in records]

    def write(self, records: Sequence[bytes] | bytes, before: Position, settle: Settle) -> Position:
        """Write a batch, then the position behind it; a batch that comes once more comes to the same."""
        every = split(records, self.target.form) if isinstance(records, bytes) else list(records)
        after = settle(self._written(every, before))
        self.positions.move(before, after)
        return after

    # --- copies -------------------------------------------------------------------------

    def put(self, records: Sequence[bytes]) -> Written:
        """Write documents over what is there; searches see them later."""
        return self._written(records, Position())

    def ids(self) -> Iterator[Sequence[Any]]:
        """Yield what is there at this moment."""
        self.transport.request("POST", at(self.index, "_refresh"))
        for page in pages(self.transport, self.engine, self.index):
            yield [hit["_id"] for hit in page]

    def text_of(self, key: Any) -> str:
        """Write an `_id`: every one is a text here."""
        return str(key)

    def remove(self, keys: Sequence[Any]) -> int:
        """Delete documents; one that its routing put elsewhere, or a busy server leaves, isn't counted."""
        body = b"".join(json.dumps({"delete": {"_id": key}}).encode() + b"\n" for key in keys)
        path = f"{at(self.index, '_bulk')}?refresh=true"
        items = self.transport.request("POST", path, body).body["items"]
        return sum(item["delete"].get("result") == "deleted" for item in items)

    # --- documents ----------------------------------------------------------------------

    def _written(self, records: Sequence[bytes], before: Position) -> Written:
        documents, dead = dict[int, Document](), list[Dead]()
        for number, record in enumerate(records):
            try:
                documents[number] = self._identified(record, before, number)
            except (ValueError, TypeError, KeyError) as exc:
                dead.append(Dead(index=number, reason=f"This is no document: {exc}"))
        dead += self._sent(documents)
        return Written(rows=len(records) - len(dead), dead=sorted(dead, key=lambda one: one.index))

    def _identified(self, record: bytes, before: Position, number: int) -> Document:
        """Give a document without an id one that follows from its place: sent twice, it is there once."""
        found = read(record, self.target.form, self.target.key)
        if found.id:
            return found
        place = f"{self.import_id} {before.part} {before.offset} {number}"
        return replace(found, id=hashlib.sha256(place.encode()).hexdigest()[:20])

    def _sent(self, documents: Numbered) -> list[Dead]:
        """Send documents, those that a busy server turned away again after a pause; give what it refuses."""
        dead, left, pause = list[Dead](), documents, _FIRST_PAUSE
        with ThreadPoolExecutor(_MOST_HANDS) as pool:
            for _ in range(_TRIES):
                told = list(pool.map(self._tried, _shared(left, self.pace.hands)))
                dead += [one for refused, _ in told for one in refused]
                left = {number: one for _, again in told for number, one in again.items()}
                self.pace.adapt(busy=bool(left))
                if not left:
                    return dead
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
        raise StoreUnavailable(f"The search server {BUSY.says}.", hint=BUSY.hint)

    def _tried(self, documents: Numbered) -> tuple[list[Dead], Numbered]:
        """Send documents once; give those that are refused, and those that were turned away."""
        action = _ACTIONS[self.target.mode]
        body = b"".join(one.action(action) for one in documents.values())
        answer = self.transport.request("POST", at(self.index, "_bulk"), body, accept=(413,))
        if answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return self._halved(documents)
        items = [next(iter(item.values())) for item in answer.body["items"]]
        told = dict(zip(documents, items, strict=True))
        left = {number: documents[number] for number, one in told.items() if one["status"] in _TURNED_AWAY}
        refused = {number: one for number, one in told.items() if "error" in one and number not in left}
        same = self._same(
            {n: documents[n] for n, one in refused.items() if one["status"] == HTTPStatus.CONFLICT}
        )
        return [Dead(index=n, reason=_reason(one)) for n, one in refused.items() if n not in same], left

    def _halved(self, documents: Numbered) -> tuple[list[Dead], Numbered]:
        pairs = list(documents.items())
        if len(pairs) == 1:
            return [Dead(index=pairs[0][0], reason="It is longer than a request that the server takes.")], {}
        halves = dict(pairs[: len(pairs) // 2]), dict(pairs[len(pairs) // 2 :])
        (dead, left), (more_dead, more_left) = map(self._tried, halves)
        return [*dead, *more_dead], {**left, **more_left}

    def _same(self, documents: Numbered) -> set[int]:
        """Return those that are there with the same content: an earlier attempt wrote them."""
        if not documents:
            return set()
        asked = [
            {"_id": one.id, **({"routing": one.routing} if one.routing else {})} for one in documents.values()
        ]
        found = self.transport.request("POST", at(self.index, "_mget"), {"docs": asked}).body["docs"]
        pairs = zip(documents.items(), found, strict=True)
        return {n for (n, one), there in pairs if there.get("_source") == json.loads(one.source)}

    def _plain(self, record: bytes) -> Mapping[str, Any]:
        try:
            found = json.loads(read(record, self.target.form, ()).source)
        except (ValueError, TypeError, KeyError):
            return {}
        return found if isinstance(found, dict) else {}


def _shared(documents: Numbered, hands: int) -> list[Numbered]:
    """Share documents out; those of one id stay in their order, in one request."""
    shares: list[dict[int, Document]] = [{} for _ in range(hands)]
    for number, one in documents.items():
        shares[crc32(one.id.encode()) % hands][number] = one
    return [share for share in shares if share]


def _reason(refused: Mapping[str, Any]) -> str:
    error = refused["error"]
    told = [str(error.get("reason") or "")]
    while isinstance(error.get("caused_by"), Mapping):
        error = error["caused_by"]
        told.append(str(error.get("reason") or ""))
    return f"{': '.join(filter(None, told))} ({refused['status']} {refused['error'].get('type')})"
