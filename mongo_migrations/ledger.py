"""
The ledger: one document per step beside the data, one for each mark, and one with the highest fence.

Every write goes through :meth:`Ledger.commit`: it raises the fence, does the caller's work and
changes the entry, all in one transaction where the server has transactions. The fence document
is really written each time, so that a holder and its successor always collide and the later
fence wins; merely reading it would let both commit.
"""

from __future__ import annotations

import contextlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from accord import process
from accord.errors import StaleFence
from accord.revisions.entry import EntryState, Facts, StepEntry, not_understood, origin_of
from accord.revisions.ledger import Work, nothing_else, overtaken, stale
from accord.seam import marks
from accord.seam.traces import Trace
from accord.seam.types import Lease, StepKey
from mongo_migrations import retries

if TYPE_CHECKING:
    from pymongo import collection
    from pymongo.client_session import ClientSession
    from pymongo.database import Database

Document = dict[str, Any]
T = TypeVar("T")

IMPORTS = "accord_import"
"""The collection that keeps how far imports in bulk are."""
_FENCE = "fence"
_MARK = "mark/"
_PLAIN = ("checksum", "fingerprint", "run_id", "fence", "operations_done", "changed")
_NAMESPACE_EXISTS = 48


class Ledger:
    """
    The ledger of one store: an :class:`accord.revisions.ledger.RevisionLedger`.

    Args:
        db: Database that holds data and ledger.
        name: Collection of the ledger.
        store: Alias of the store.
        transactions: False for a server that stands alone.
    """

    def __init__(self, db: Database[Document], name: str, store: str, *, transactions: bool) -> None:
        self._db = db
        self._name = name
        self._store = store
        # By the key, too: in a database that Django's documents share, their ledger has the same name.
        self._mine: Document = {"_id": {"$regex": f"^{re.escape(store)}:"}}
        self._transactions = transactions
        self._claimed: int | None = None
        self._own_session: ClientSession | None = None
        self._patience = retries.LONG

    @contextlib.contextmanager
    def patience(self, seconds: float) -> Iterator[None]:
        """Repeat transactions that the server refuses for so long only, inside the block."""
        before, self._patience = self._patience, seconds
        try:
            yield
        finally:
            self._patience = before

    @property
    def transactional(self) -> bool:
        """True where work and its ledger write can be one transaction."""
        return self._transactions

    def entries(self) -> Iterable[StepEntry]:
        """Read every entry in one round trip, without what operations put away; creates nothing."""
        found = self._collection().find(self._mine, {"saved": 0}, batch_size=100_000)
        return [_entry(StepKey.parse(answer["_id"]), answer) for answer in found]

    def entry(self, key: StepKey, lease: Lease) -> StepEntry | None:
        """
        Read what is recorded of a step.

        Raises:
            StaleFence: The ledger has seen a later fence than the lease's.
        """
        answers = {
            answer["_id"]: answer for answer in self._collection().find({"_id": {"$in": [_FENCE, str(key)]}})
        }
        if answers.get(_FENCE, {}).get("fence", 0) > lease.fence:
            raise stale(key, lease)
        return _entry(key, answers[str(key)]) if str(key) in answers else None

    def strike(self, key: StepKey, lease: Lease) -> None:
        """Remove the entry of a step."""

        def remove(session: ClientSession | None) -> None:
            self._collection().delete_one({"_id": str(key)}, session=session)

        self._fenced(stale(key, lease), lease, remove)

    def commit(self, entry: StepEntry, lease: Lease, work: Work = nothing_else) -> StepEntry:
        """Do some work and write an entry, both or neither. See :class:`RevisionLedger`."""

        def written(session: ClientSession | None) -> StepEntry:
            made = work(entry, session).stamped(lease)
            self._write(made, lease, session)
            return made

        return self._fenced(stale(entry.key, lease), lease, written)

    def mark(self, name: str) -> marks.Kept | None:
        """Read a mark as it is kept. See :class:`accord.revisions.marking.MarkedLedger`."""
        return marks.Kept.read(self._collection().find_one({"_id": f"{_MARK}{name}"}))

    def write_mark(self, name: str, value: str, lease: Lease, *, expected: str | None) -> None:
        """Write a mark beside the entries. See :class:`accord.seam.marks.KeepsMarks`."""

        def swapped(session: ClientSession | None) -> None:
            found = self._collection().find_one({"_id": f"{_MARK}{name}"}, session=session)
            if marks.value_of(self._store, name, marks.Kept.read(found)) != value:
                self._swap(name, value, lease, expected, session)

        self._fenced(marks.stale(self._store, name, lease), lease, swapped)

    def traces(self) -> Sequence[Trace]:
        """Look whether the collections are there: ours, and that of imports."""
        names = self._db.list_collection_names(filter={"name": {"$in": [self._name, IMPORTS]}})
        return [
            Trace(what=f"collection {name}", number=self._db[name].count_documents({}), unit="document")
            for name in sorted(names, reverse=True)
        ]

    def take_out(self, lease: Lease) -> None:
        """Drop the collections, ours last, after a killed run's open transaction."""
        if self.traces():
            self._claim(overtaken(self._store, lease), lease)
            self._db.drop_collection(IMPORTS)
            self._db.drop_collection(self._name)
            self._claimed = None

    def close(self) -> None:
        """Return the session to the driver's pool."""
        if self._own_session is not None:
            self._own_session.end_session()
        self._own_session = self._claimed = None

    def _fenced(self, refusal: StaleFence, lease: Lease, body: Callable[[ClientSession | None], T]) -> T:
        """Raise the fence and do the body, both or neither where there are transactions."""
        if self._claimed != lease.fence:
            self._prepare()
            self._claim(refusal, lease)

        def guarded(session: ClientSession | None) -> T:
            self._raise_fence(session, refusal, lease)
            return body(session)

        if not self._transactions:
            return guarded(None)
        return retries.run(self._session(), guarded, self._patience)

    def _session(self) -> ClientSession:
        if self._own_session is None:
            self._own_session = self._db.client.start_session()
        return self._own_session

    def _claim(self, refusal: StaleFence, lease: Lease) -> None:
        """
        Write into the fence document whose session works from now on.

        A server keeps the open transaction of a killed process for a minute, and the fence
        document with it. So the session that is named there is ended when a later run takes
        over, which also stops a holder that is alive and late, or when its process is dead.
        """
        found = self._collection().find_one({"_id": _FENCE}) or {}
        if found.get("fence", 0) > lease.fence:
            raise refusal
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

    def _raise_fence(self, session: ClientSession | None, refusal: StaleFence, lease: Lease) -> None:
        lease.check()
        result = self._collection().update_one(
            {"_id": _FENCE, "fence": {"$lte": lease.fence}},
            {"$set": {"fence": lease.fence, "run_id": lease.run_id}, "$inc": {"writes": 1}},
            session=session,
        )
        if result.matched_count == 0:
            raise refusal

    def _swap(
        self, name: str, value: str, lease: Lease, expected: str | None, session: ClientSession | None
    ) -> None:
        """Write a mark by one request that fits or doesn't: without transactions that is the comparison."""
        from pymongo.errors import DuplicateKeyError

        own: Document = {"_id": f"{_MARK}{name}", "fence": {"$not": {"$gt": lease.fence}}}
        # An upsert that finds another value, or any where none was expected, meets the key that is there.
        own["value"] = {"$exists": False} if expected is None else expected
        update = {"$set": {"form": marks.FORM, "value": value, "fence": lease.fence}}
        try:
            done = self._collection().update_one(own, update, upsert=expected is None, session=session)
        except DuplicateKeyError as exc:
            raise marks.changed(self._store, name) from exc
        if expected is not None and not done.matched_count:
            raise marks.changed(self._store, name)

    def _write(self, entry: StepEntry, lease: Lease, session: ClientSession | None) -> None:
        from pymongo.errors import DuplicateKeyError

        # Without a transaction the fence may have risen since it was looked at, so the entry is asked, too.
        own = {"_id": str(entry.key), "fence": {"$not": {"$gt": lease.fence}}}
        update: Document = {"$set": _document(entry)}
        if entry.state is EntryState.APPLIED:
            update["$currentDate"] = {"applied_at": True}
        try:
            self._collection().find_one_and_update(own, update, {"_id": 1}, upsert=True, session=session)
        except DuplicateKeyError as exc:
            raise stale(entry.key, lease) from exc

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

    def _collection(self) -> collection.Collection[Document]:
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


# What is free in form is kept as extended JSON, so that no name and no type in it can trouble a server.


def _document(entry: StepEntry) -> Document:
    """Write an entry as the collection keeps it; the server adds the time of an applied one."""
    checkpoint = None if entry.checkpoint is None else _dumps(entry.checkpoint)
    saved = {
        f"{number}_{name}": _dumps(value)
        for number, facts in entry.saved.items()
        for name, value in facts.items()
    }
    kept = {name: getattr(entry, name) for name in _PLAIN}
    return {
        **kept,
        "state": entry.state.value,
        "how": entry.how.value,
        "finished": list(entry.finished),
        "checkpoint": checkpoint,
        "saved": saved,
    }


def _entry(key: StepKey, answer: Document) -> StepEntry:
    plain = {name: answer[name] for name in (*_PLAIN, "applied_at") if name in answer}
    checkpoint = answer.get("checkpoint")
    return StepEntry(
        key=key,
        state=_state(key, str(answer.get("state"))),
        how=origin_of(key, answer.get("how")),
        finished=tuple(answer.get("finished", ())),
        checkpoint=None if checkpoint is None else _loads(checkpoint),
        saved=_saved(answer.get("saved", {})),
        **plain,
    )


def _state(key: StepKey, word: str) -> EntryState:
    """
    Read the word for how far a step has come.

    Raises:
        LedgerNotUnderstood: It is none of those that this version knows.
    """
    try:
        return EntryState(word)
    except ValueError as exc:
        raise not_understood(key, word) from exc


def _saved(kept: Mapping[str, Any]) -> Mapping[str, Facts]:
    facts: dict[str, dict[str, Any]] = defaultdict(dict)
    for place, text in _flat(kept):
        number, _, name = place.partition("_")
        facts[number][name] = _loads(text)
    return dict(facts)


def _flat(kept: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield names and texts; an earlier version kept a name with dots as a document in a document."""
    for name, value in kept.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{rest}", text) for rest, text in _flat(value))
        else:
            yield name, value


def _dumps(value: object) -> str:
    from bson import json_util
    from bson.binary import UuidRepresentation

    # Where the client reads UUIDs they are written; read back they are the bytes that any client sends.
    options = json_util.CANONICAL_JSON_OPTIONS.with_options(uuid_representation=UuidRepresentation.STANDARD)
    return json_util.dumps(value, json_options=options)


def _loads(text: str) -> Any:
    from bson import json_util
    from bson.codec_options import DatetimeConversion

    automatic = DatetimeConversion.DATETIME_AUTO  # a date may lie beyond the years of Python
    options = json_util.CANONICAL_JSON_OPTIONS.with_options(datetime_conversion=automatic)
    return json_util.loads(text, json_options=options)
