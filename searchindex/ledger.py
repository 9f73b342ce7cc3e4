"""
The ledger: one document in an index of its own, written by compare-and-swap.

It holds the highest fencing token seen, an entry for each step and the store's marks. Reading it is one
request by id, which search servers answer in real time. A write names the version that was
read (`if_seq_no`, `if_primary_term`), so of two writers one is refused and reads again.

The index is reached through an alias that is made together with it, and every write says
`require_alias`: a server that lost the ledger refuses the write, where it would otherwise
make up an index of its own.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from accord.clock import Clock, SystemClock
from accord.errors import LedgerNotUnderstood, StaleFence, StoreError
from accord.revisions.entry import EntryState, StepEntry, from_json, to_json
from accord.revisions.ledger import Work, nothing_else
from accord.seam import marks
from accord.seam.traces import Trace
from accord.seam.types import Lease, StepKey
from searchindex.transport import READ_TIMEOUT, ReplyLost, ServerResponse, Transport, at

_DOCUMENT = "ledger"
_ATTEMPTS = 20
_BODY: Mapping[str, Any] = {
    "settings": {
        "index.number_of_shards": 1,
        "index.auto_expand_replicas": "0-1",
        "index.hidden": True,
    },
    "mappings": {
        "dynamic": False,
        "properties": {
            "fence": {"type": "long"},
            "entries": {"type": "object", "enabled": False},
        },
    },
}


@dataclass(frozen=True, kw_only=True)
class Version:
    """The version of the document that was read, for the compare-and-swap."""

    seq_no: int
    primary_term: int


@dataclass(frozen=True, kw_only=True)
class Content:
    """
    The ledger as it was read.

    Attributes:
        fence: Highest fencing token seen; 0 when there is no ledger yet.
        entries: By step.
        marks: What the store keeps about itself, by name, as it lies there.
        nonce: Chance value of the last write, by which a writer knows its own.
        version: None when there is no document yet.
    """

    fence: int = 0
    entries: Mapping[StepKey, StepEntry] = field(default_factory=dict)
    marks: Mapping[str, object] = field(default_factory=dict)
    nonce: str = ""
    version: Version | None = None


Change = Callable[[Content], Content]
"""Makes the new content out of the one that stands; may be called again when another wrote first."""


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """
    The ledger of one store: an :class:`accord.revisions.ledger.RevisionLedger`.

    Attributes:
        transport: Connection.
        name: Alias of the index that holds it.
        store: Alias of the store, for step keys.
        clock: Gives the time that entries carry: search servers tell no time.
        timeout: Seconds until a server that is asked what is applied counts as unavailable.
    """

    transactional = False

    transport: Transport
    name: str
    store: str
    clock: Clock = field(default_factory=SystemClock)
    timeout: float = READ_TIMEOUT

    def entries(self) -> Iterable[StepEntry]:
        """Read every entry in one request."""
        return self._read(timeout=self.timeout).entries.values()

    def entry(self, key: StepKey, lease: Lease) -> StepEntry | None:
        """
        Read what is recorded of a step.

        Raises:
            StaleFence: The ledger has seen a later fencing token than the lease's.
        """
        content = self._read()
        self._refuse_stale(content, lease)
        return content.entries.get(key)

    def commit(self, entry: StepEntry, lease: Lease, work: Work = nothing_else) -> StepEntry:
        """Do some work, and write the entry that it makes. See :class:`RevisionLedger`."""
        if work is not nothing_else:
            self._refuse_stale(self._read(), lease)
        made = work(entry, None).stamped(lease)
        if made.state is EntryState.APPLIED:
            made = replace(made, applied_at=self.clock.now())
        self._change(lambda found: replace(found, entries={**found.entries, made.key: made}), lease)
        return made

    def strike(self, key: StepKey, lease: Lease) -> None:
        """Remove the entry of a step. See :class:`RevisionLedger`."""

        def struck(found: Content) -> Content:
            return replace(found, entries={name: one for name, one in found.entries.items() if name != key})

        self._change(struck, lease)

    def mark(self, name: str) -> marks.Kept | None:
        """Read a mark as it is kept. See :class:`accord.revisions.marking.MarkedLedger`."""
        return marks.Kept.read(self._read(timeout=self.timeout).marks.get(name))

    def write_mark(self, name: str, value: str, lease: Lease, *, expected: str | None) -> None:
        """Write a mark beside the entries. See :class:`accord.seam.marks.KeepsMarks`."""

        def swapped(found: Content) -> Content:
            now = marks.value_of(self.store, name, marks.Kept.read(found.marks.get(name)))
            if now not in (value, expected):
                raise marks.changed(self.store, name)
            return replace(found, marks={**found.marks, name: {"form": marks.FORM, "value": value}})

        self._change(swapped, lease)

    def traces(self) -> Sequence[Trace]:
        """Look for the index behind the ledger's alias."""
        found = self._indexes()
        if not found:
            return ()
        document = self.transport.find(at(self.name, "_doc", _DOCUMENT)) or {}
        number = len((document.get("_source") or {}).get("entries") or ())
        return tuple(Trace(what=f"index {index}", number=number, unit="step") for index in found)

    def take_out(self, lease: Lease) -> None:
        """Delete the index, and its alias with it."""
        found = self._indexes()
        if found:
            self._refuse_stale(self._read(), lease)
        for index in found:
            self.transport.request("DELETE", at(index), accept=(404,))

    def _indexes(self) -> Sequence[str]:
        return sorted(self.transport.find(f"/_alias{at(self.name)}") or ())

    def _read(self, **options: Any) -> Content:
        """Read the ledger in one request; nothing is created."""
        document = self.transport.find(at(self.name, "_doc", _DOCUMENT), **options)
        if document is None or not document.get("found"):
            return Content()
        try:
            return self._content(document)
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise LedgerNotUnderstood(
                f"The ledger {self.name} holds something that this version can't read.",
                hint="Was it written by a newer version, or by hand? Upgrade the suite, or restore it.",
            ) from exc

    def _content(self, document: Mapping[str, Any]) -> Content:
        source = document["_source"]
        keys = {text: self._step_key(text) for text in source["entries"]}
        return Content(
            fence=int(source["fence"]),
            entries={keys[text]: from_json(keys[text], entry) for text, entry in source["entries"].items()},
            marks={**source.get("marks", {})},
            nonce=source["nonce"],
            version=Version(seq_no=document["_seq_no"], primary_term=document["_primary_term"]),
        )

    def _change(self, change: Change, lease: Lease) -> None:
        nonce = uuid.uuid4().hex
        for _ in range(_ATTEMPTS):
            content = self._read()
            if content.nonce == nonce:  # the write landed and its answer was lost
                return
            self._refuse_stale(content, lease)
            if self._swap(content, change(content), lease, nonce):
                return
        raise StoreError(
            f"The ledger {self.name} was changed by others {_ATTEMPTS} times while it was being written.",
            hint="See who else runs migrations on this server, then run again.",
        )

    def _swap(self, content: Content, new: Content, lease: Lease, nonce: str) -> bool:
        """Write unless another did first; an unknown outcome counts as no, and is looked up."""
        body = {
            "fence": max(content.fence, lease.fence),
            "nonce": nonce,
            "entries": {f"{key.app}.{key.name}": to_json(entry) for key, entry in new.entries.items()},
            "marks": new.marks,
        }
        try:
            answer = self._put(content.version, body)
        except ReplyLost:
            return False
        if answer.status == HTTPStatus.NOT_FOUND:
            self._create()
            return False
        return answer.status < HTTPStatus.BAD_REQUEST

    def _put(self, version: Version | None, body: Mapping[str, Any]) -> ServerResponse:
        if version is None:
            path = f"{at(self.name, '_create', _DOCUMENT)}?require_alias=true"
        else:
            guard = f"if_seq_no={version.seq_no}&if_primary_term={version.primary_term}"
            path = f"{at(self.name, '_doc', _DOCUMENT)}?require_alias=true&{guard}"
        return self.transport.request("PUT", path, body, accept=(404, 409))

    def _create(self) -> None:
        """Make the index and its alias in one call; another process may have been quicker."""
        body = {**_BODY, "aliases": {self.name: {"is_hidden": True}}}
        try:
            answer = self.transport.request("PUT", at(f"{self.name}-1"), body, accept=(400,))
        except ReplyLost:
            return
        kind = (
            (answer.body.get("error") or {}).get("type", "")
            if answer.status == HTTPStatus.BAD_REQUEST
            else ""
        )
        if kind not in ("", "resource_already_exists_exception"):
            raise StoreError(
                f"The server refuses to create the ledger {self.name} ({kind}).",
                hint="Set LEDGER of the search store to a name that the server takes.",
            )

    def _refuse_stale(self, content: Content, lease: Lease) -> None:
        if content.fence > lease.fence:
            raise StaleFence(
                f"The search store “{self.store}” has seen the fencing token {content.fence}; "
                f"this run holds {lease.fence}. Nothing was written.",
                hint="A later run took over. Look at its result, then run again if steps are left.",
            )

    def _step_key(self, key: str) -> StepKey:
        app, _, name = key.partition(".")
        return StepKey(self.store, app, name)
