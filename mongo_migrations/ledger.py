"""
The ledger: one document per step beside the data, and one that keeps the highest fence.

Every write goes through :meth:`Ledger.commit`: it raises the fence, does the caller's work and
changes the entry, all in one transaction where the server has transactions. The fence document
is really written each time, so that a holder and its successor always collide and the later
fence wins; merely reading it would let both commit.
"""

from __future__ import annotations

import contextlib
import enum
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from accord import process
from accord.errors import StaleFence
from accord.types import AppliedStep, Lease, Step, StepKey

if TYPE_CHECKING:
    from pymongo.client_session import ClientSession
    from pymongo.collection import Collection
    from pymongo.database import Database

Document = dict[str, Any]
T = TypeVar("T")

_FENCE = "fence"
_NAMESPACE_EXISTS = 48


class State(enum.StrEnum):
    """How far a step has come."""

    APPLYING = "applying"
    """Begun; its effects may be there in part."""
    APPLIED = "applied"
    """All of its effects are there."""
    REVERTING = "reverting"
    """Being undone; the ledger gives it as applied, and half gone, until nothing of it is left."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """
    What the ledger says of a step.

    Attributes:
        key: The step.
        state: How far it has come.
        operations_done: How many of its operations stand, from the first.
        finished: Digest of each of those operations, to notice an edited file.
        checkpoint: Where an operation in batches continues, as extended JSON.
        saved: What operations put away for a rerun or a revert: extended JSON by name.
        changed: Documents and objects changed so far, by killed runs too.
        applied: The entry as the engine sees it.
    """

    key: StepKey
    state: State
    operations_done: int
    finished: tuple[str, ...]
    checkpoint: str | None
    saved: Mapping[str, str]
    changed: int
    applied: AppliedStep


Work = Callable[["ClientSession | None"], Mapping[str, Any]]
"""Something done together with a ledger write; gives the update of the entry."""


class Ledger:
    """
    The ledger of one store.

    Args:
        db: Database that holds data and ledger.
        name: Collection of the ledger.
        transactions: False for a server that stands alone.
    """

    def __init__(self, db: Database[Document], name: str, *, transactions: bool) -> None:
        self._db = db
        self._name = name
        self._transactions = transactions
        self._claimed: int | None = None
        self._own_session: ClientSession | None = None

    @property
    def transactional(self) -> bool:
        """True where work and its ledger write can be one transaction."""
        return self._transactions

    def applied(self, alias: str) -> Mapping[StepKey, AppliedStep]:
        """Read the applied steps of a store in one round trip; creates nothing."""
        # By the key, too: in a database that Django's documents share, theirs has the same name.
        mine = {"_id": {"$regex": f"^{re.escape(alias)}:"}}
        query = {**mine, "state": {"$in": [State.APPLIED.value, State.REVERTING.value]}}
        projection = dict.fromkeys(("state", "checksum", "fingerprint", "applied_at", "run_id", "fence"), 1)
        return _by_key(self._collection().find(query, projection, batch_size=100_000))

    def unfinished(self, alias: str) -> Sequence[StepKey]:
        """Name the steps of a store that a run began and did not end; creates nothing."""
        begun = {"$in": [State.APPLYING.value, State.REVERTING.value]}
        found = self._collection().find(
            {"_id": {"$regex": f"^{re.escape(alias)}:"}, "state": begun}, {"_id": 1}
        )
        return [StepKey.parse(entry["_id"]) for entry in found]

    def entry(self, key: StepKey, lease: Lease) -> Entry | None:
        """
        Read what is recorded of a step.

        Raises:
            StaleFence: The ledger has seen a later fence than the lease's.
        """
        answers = {
            answer["_id"]: answer for answer in self._collection().find({"_id": {"$in": [_FENCE, str(key)]}})
        }
        if answers.get(_FENCE, {}).get("fence", 0) > lease.fence:
            raise _stale(key, lease)
        return _entry(key, answers[str(key)]) if str(key) in answers else None

    def begin(self, step: Step, lease: Lease, state: State) -> Entry:
        """Record the intent to apply or to revert a step, before anything is touched."""
        # A revert keeps the signature of what was applied.
        signature = _signature(step) if state is State.APPLYING else {}
        return self.commit(step.key, lease, lambda _: {"$set": {"state": state.value, **signature}})

    def complete(self, step: Step, lease: Lease, operations: int) -> None:
        """Record that a step is applied."""
        fields = {"state": State.APPLIED.value, "operations_done": operations, "checkpoint": None}
        update = {"$set": {**fields, **_signature(step)}, "$currentDate": {"applied_at": True}}
        self.commit(step.key, lease, lambda _: update)

    def strike(self, key: StepKey, lease: Lease) -> None:
        """Remove the entry of a step."""

        def remove(session: ClientSession | None) -> None:
            self._raise_fence(session, key, lease)
            self._collection().delete_one({"_id": str(key)}, session=session)

        self._transaction(key, lease, remove)

    def commit(self, key: StepKey, lease: Lease, work: Work) -> Entry:
        """
        Do some work and change a step's entry, both or neither.

        Without transactions the work comes first, so it must bear being repeated.

        Args:
            key: The step.
            lease: Whose fence guards the write.
            work: Called with the transaction's session; again if the server asks for a retry.

        Returns:
            The entry as it is now.

        Raises:
            StaleFence: The ledger has seen a later fence. Nothing was changed.
            LeaseLost: The lease went away. Nothing was changed.
        """

        def guarded(session: ClientSession | None) -> Entry:
            self._raise_fence(session, key, lease)
            return self._update(work(session), key, lease, session)

        return self._transaction(key, lease, guarded)

    def close(self) -> None:
        """Give the session back."""
        if self._own_session is not None:
            self._own_session.end_session()
        self._own_session = self._claimed = None

    def _transaction(self, key: StepKey, lease: Lease, body: Callable[[ClientSession | None], T]) -> T:
        if self._claimed != lease.fence:
            self._prepare()
            self._claim(key, lease)
        if not self._transactions:
            return body(None)
        from pymongo import ReadPreference, WriteConcern
        from pymongo.read_concern import ReadConcern

        # The driver repeats by the server's labels: the whole for TransientTransactionError,
        # the commit alone for UnknownTransactionCommitResult.
        return self._session().with_transaction(
            body,
            read_concern=ReadConcern("snapshot"),
            write_concern=WriteConcern("majority", j=True),
            read_preference=ReadPreference.PRIMARY,
        )

    def _session(self) -> ClientSession:
        if self._own_session is None:
            self._own_session = self._db.client.start_session()
        return self._own_session

    def _claim(self, key: StepKey, lease: Lease) -> None:
        """
        Write into the fence document whose session works from now on.

        A server keeps the open transaction of a killed process for a minute, and the fence
        document with it. So the session that is named there is ended when a later run takes
        over, which also stops a holder that is alive and late, or when its process is dead.
        """
        found = self._collection().find_one({"_id": _FENCE}) or {}
        if found.get("fence", 0) > lease.fence:
            raise _stale(key, lease)
        own = self._session().session_id["id"] if self._transactions else None
        overtaken = found.get("fence", 0) < lease.fence or process.is_dead(found.get("process", ""))
        if self._transactions and overtaken and found.get("session") not in (None, own):
            self._end_session(found["session"])
        claim = {"fence": lease.fence, "run_id": lease.run_id, "session": own, "process": process.identity()}
        self._collection().update_one({"_id": _FENCE, "fence": {"$lte": lease.fence}}, {"$set": claim})
        self._claimed = lease.fence

    def _end_session(self, session: object) -> None:
        from pymongo.errors import OperationFailure

        # Another user's session may not be ours to end; then its transaction is waited for.
        with contextlib.suppress(OperationFailure):
            self._db.client.admin.command({"killSessions": [{"id": session}]})

    def _raise_fence(self, session: ClientSession | None, key: StepKey, lease: Lease) -> None:
        lease.check()
        result = self._collection().update_one(
            {"_id": _FENCE, "fence": {"$lte": lease.fence}},
            {"$set": {"fence": lease.fence, "run_id": lease.run_id}, "$inc": {"writes": 1}},
            session=session,
        )
        if result.matched_count == 0:
            raise _stale(key, lease)

    def _update(
        self, update: Mapping[str, Any], key: StepKey, lease: Lease, session: ClientSession | None
    ) -> Entry:
        from pymongo import ReturnDocument
        from pymongo.errors import DuplicateKeyError

        stamped = {**update, "$set": {**update.get("$set", {}), "run_id": lease.run_id, "fence": lease.fence}}
        # Without a transaction the fence may have risen since it was looked at, so the entry is asked, too.
        own = {"_id": str(key), "fence": {"$not": {"$gt": lease.fence}}}
        try:
            answer = self._collection().find_one_and_update(
                own, stamped, upsert=True, return_document=ReturnDocument.AFTER, session=session
            )
        except DuplicateKeyError as exc:
            raise _stale(key, lease) from exc
        return _entry(key, answer or {})

    def _prepare(self) -> None:
        """Create the collection and the fence document; ten processes may do so at once."""
        from pymongo.errors import DuplicateKeyError, OperationFailure

        try:
            self._db.command({"create": self._name, "writeConcern": {"w": "majority"}})
        except OperationFailure as exc:
            if exc.code != _NAMESPACE_EXISTS:
                raise
        with contextlib.suppress(DuplicateKeyError):
            initial = {"$setOnInsert": {"fence": 0, "writes": 0}}
            self._collection().update_one({"_id": _FENCE}, initial, upsert=True)

    def _collection(self) -> Collection[Document]:
        from bson.codec_options import CodecOptions
        from pymongo import ReadPreference, WriteConcern
        from pymongo.read_concern import ReadConcern

        return self._db.get_collection(
            self._name,
            codec_options=CodecOptions(tz_aware=True),
            read_preference=ReadPreference.PRIMARY,
            write_concern=WriteConcern("majority", j=True),
            read_concern=ReadConcern("majority"),
        )


def _signature(step: Step) -> Document:
    return {"checksum": step.source.checksum, "fingerprint": step.source.fingerprint}


def _by_key(answers: Iterable[Document]) -> Mapping[StepKey, AppliedStep]:
    steps = (_applied(StepKey.parse(answer["_id"]), answer) for answer in answers)
    return {step.key: step for step in steps}


def _applied(key: StepKey, answer: Document) -> AppliedStep:
    return AppliedStep(
        key=key,
        checksum=answer.get("checksum"),
        fingerprint=answer.get("fingerprint"),
        applied_at=answer.get("applied_at"),
        run_id=answer.get("run_id", ""),
        fence=answer.get("fence", 0),
        reverting=answer.get("state") == State.REVERTING.value,
    )


def _entry(key: StepKey, answer: Document) -> Entry:
    return Entry(
        key=key,
        state=State(answer["state"]),
        operations_done=answer.get("operations_done", 0),
        finished=tuple(answer.get("finished", ())),
        checkpoint=answer.get("checkpoint"),
        saved=answer.get("saved", {}),
        changed=answer.get("changed", 0),
        applied=_applied(key, answer),
    )


def _stale(key: StepKey, lease: Lease) -> StaleFence:
    return StaleFence(
        f"The ledger of “{key.store}” has seen a later run than {lease.run_id or lease.owner}; "
        f"{key} was not written.",
        hint="Another run took over. Let it end, then look with showmigrations_all.",
    )
