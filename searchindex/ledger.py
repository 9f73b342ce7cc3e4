"""
The ledger: one document in an index of its own, written by compare-and-swap.

It holds the highest fencing token seen and an entry for each step. Reading it is one
request by id, which search servers answer in real time. A write names the version that was
read (`if_seq_no`, `if_primary_term`), so of two writers one is refused and reads again.

The index is reached through an alias that is made together with it, and every write says
`require_alias`: a server that lost the ledger refuses the write, where it would otherwise
make up an index of its own.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any

from accord.clock import Clock, SystemClock
from accord.errors import InconsistentLedger, StaleFence, StoreError
from accord.types import AppliedStep, Lease, Step, StepKey
from searchindex.transport import Answer, ReplyLost, Transport, at

APPLIED = "applied"
APPLYING = "applying"
REVERTING = "reverting"

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
class Entry:
    """
    What the ledger holds of one step.

    Attributes:
        state: `applied`, `applying` or `reverting`.
        checksum: Of the revision, when it was begun.
        fingerprint: Of the file's bytes, when it was begun.
        run_id: Run that wrote it last.
        fence: Fencing token of that run.
        applied_at: When it was applied; empty before. Search servers tell no time, so it
            is the time of the machine that ran the step.
        operations_done: How many of its operations stand, counted from the first.
        saved: What stood before an operation, by the operation's number: what its undoing needs.
    """

    state: str
    checksum: str
    fingerprint: str
    run_id: str
    fence: int
    applied_at: str = ""
    operations_done: int = 0
    saved: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


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
        entries: By step, written `app.name`.
        nonce: Chance value of the last write, by which a writer knows its own.
        version: None when there is no document yet.
    """

    fence: int = 0
    entries: Mapping[str, Entry] = field(default_factory=dict)
    nonce: str = ""
    version: Version | None = None


Change = Callable[[Mapping[str, Entry]], Mapping[str, Entry]]
"""Makes the new entries out of those that stand; may be called again when another wrote first."""


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """
    The ledger of one store.

    Attributes:
        wire: Connection.
        name: Alias of the index that holds it.
        store: Alias of the store, for step keys.
        clock: Gives the time that entries carry.
    """

    wire: Transport
    name: str
    store: str
    clock: Clock = field(default_factory=SystemClock)

    def read(self, **options: Any) -> Content:
        """
        Read the ledger in one request; nothing is created.

        Args:
            options: Options of the request, such as a time limit.

        Raises:
            StoreUnavailable: The server can't be reached.
        """
        document = self.wire.find(at(self.name, "_doc", _DOCUMENT), **options)
        if document is None or not document.get("found"):
            return Content()
        source = document["_source"]
        try:
            entries = {key: Entry(**entry) for key, entry in source["entries"].items()}
            return Content(
                fence=int(source["fence"]),
                entries=entries,
                nonce=source["nonce"],
                version=_version(document),
            )
        except (KeyError, TypeError, AttributeError) as exc:
            raise InconsistentLedger(
                f"The ledger {self.name} holds something that this version can't read.",
                hint="Was it written by a newer version, or by hand? Upgrade the suite, or restore it.",
            ) from exc

    def applied(self, **options: Any) -> Mapping[StepKey, AppliedStep]:
        """Give the steps that are applied, those among them whose revert did not end."""
        entries = self.read(**options).entries
        return {
            self._step_key(key): self._applied_step(key, entry)
            for key, entry in entries.items()
            if entry.state != APPLYING
        }

    def unfinished(self, **options: Any) -> Collection[StepKey]:
        """Name the steps that a run began and did not end."""
        entries = self.read(**options).entries
        return [self._step_key(key) for key, entry in entries.items() if entry.state != APPLIED]

    def entry(self, step: Step, lease: Lease) -> Entry | None:
        """
        Read a step's entry.

        Raises:
            StaleFence: The ledger has seen a later fencing token than the lease's.
        """
        content = self.read()
        self._refuse_stale(content, lease)
        return content.entries.get(_key(step))

    def write(self, step: Step, entry: Entry, lease: Lease) -> None:
        """
        Write a step's entry, and the lease's fencing token with it.

        Raises:
            StaleFence: The ledger has seen a later fencing token. Nothing was written.
        """
        stamped = replace(entry, fence=lease.fence, run_id=lease.run_id)
        self._change(lambda entries: {**entries, _key(step): stamped}, lease)

    def remove(self, step: Step, lease: Lease) -> None:
        """
        Strike a step's entry.

        Raises:
            StaleFence: The ledger has seen a later fencing token. Nothing was written.
        """
        key = _key(step)
        self._change(lambda entries: {name: entry for name, entry in entries.items() if name != key}, lease)

    def now(self) -> str:
        """Give the time that an entry carries."""
        return self.clock.now().isoformat()

    def _change(self, change: Change, lease: Lease) -> None:
        nonce = uuid.uuid4().hex
        for _ in range(_ATTEMPTS):
            content = self.read()
            if content.nonce == nonce:  # the write landed and its answer was lost
                return
            self._refuse_stale(content, lease)
            if self._swap(content, change(content.entries), lease, nonce):
                return
        raise StoreError(
            f"The ledger {self.name} was changed by others {_ATTEMPTS} times while it was being written.",
            hint="See who else runs migrations on this server, then run again.",
        )

    def _swap(self, content: Content, entries: Mapping[str, Entry], lease: Lease, nonce: str) -> bool:
        """Write unless another did first; an unknown outcome counts as no, and is looked up."""
        body = {
            "fence": max(content.fence, lease.fence),
            "nonce": nonce,
            "entries": {key: vars(entry) for key, entry in entries.items()},
        }
        try:
            answer = self._put(content.version, body)
        except ReplyLost:
            return False
        if answer.status == HTTPStatus.NOT_FOUND:
            self._create()
            return False
        return answer.status < HTTPStatus.BAD_REQUEST

    def _put(self, version: Version | None, body: Mapping[str, Any]) -> Answer:
        if version is None:
            path = f"{at(self.name, '_create', _DOCUMENT)}?require_alias=true"
        else:
            guard = f"if_seq_no={version.seq_no}&if_primary_term={version.primary_term}"
            path = f"{at(self.name, '_doc', _DOCUMENT)}?require_alias=true&{guard}"
        return self.wire.request("PUT", path, body, accept=(404, 409))

    def _create(self) -> None:
        """Make the index and its alias in one call; that somebody else was quicker is fine."""
        body = {**_BODY, "aliases": {self.name: {"is_hidden": True}}}
        try:
            answer = self.wire.request("PUT", at(f"{self.name}-1"), body, accept=(400,))
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

    def _applied_step(self, key: str, entry: Entry) -> AppliedStep:
        return AppliedStep(
            key=self._step_key(key),
            checksum=entry.checksum,
            fingerprint=entry.fingerprint,
            applied_at=datetime.fromisoformat(entry.applied_at) if entry.applied_at else None,
            run_id=entry.run_id,
            fence=entry.fence,
            reverting=entry.state == REVERTING,
        )


def _key(step: Step) -> str:
    return f"{step.key.app}.{step.key.name}"


def _version(document: Mapping[str, Any]) -> Version:
    return Version(seq_no=document["_seq_no"], primary_term=document["_primary_term"])
