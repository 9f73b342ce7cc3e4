"""The store of MongoDB revisions, as the engine sees it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from accord import conf, mongo_causes
from accord.errors import ConfigurationError, StepFailed
from accord.events import silent
from accord.mongo_driver import briefly
from accord.revisions import foretelling
from accord.revisions.entry import StepEntry
from accord.revisions.leaving import LeavesLedger
from accord.revisions.marking import KeepsMarksInLedger
from accord.revisions.operation import Operation as AnyOperation
from accord.revisions.progress import Progress
from accord.revisions.store import Show
from accord.seam.foretelling import Foretold
from accord.seam.losses import LOOK_SECONDS, HowMany
from accord.seam.stores import StoreInfo
from accord.seam.types import Direction, Lease, Shown, Statement, Step, StepKey
from accord.secrets import redact
from mongo_migrations import retries
from mongo_migrations.carrying import Carries
from mongo_migrations.client import (
    Place,
    check_server,
    has_transactions,
    open_client,
    plain_message,
    replica_set_missing,
    server_answer,
    translated,
)
from mongo_migrations.context import Context
from mongo_migrations.ledger import Ledger
from mongo_migrations.looks_around import LooksAround
from mongo_migrations.migration import KIND
from mongo_migrations.operations.base import Operation
from mongo_migrations.schema import read_collection

if TYPE_CHECKING:
    from pymongo import MongoClient
    from pymongo.database import Database
    from pymongo.errors import PyMongoError

_OPTIONS = ("URL", "DATABASE", "LEDGER", "REPLICA_SET_REQUIRED")


class MongoStore(Carries, LooksAround, LeavesLedger, KeepsMarksInLedger):
    """
    A MongoDB database whose schema and documents are changed by revisions.

    Args:
        alias: Name of the store.
        options: `URL`; `DATABASE` (by default the one in the URL's path); `LEDGER`, the
            ledger's collection (`accord_ledger`); `REPLICA_SET_REQUIRED` (True).

    Raises:
        ConfigurationError: An option is missing, unknown or of the wrong type.
    """

    kind = KIND

    def __init__(self, alias: str, options: Mapping[str, object]) -> None:
        _refuse_unknown(alias, options)
        super().__init__(alias)
        self._url = _text(alias, options, "URL", "")
        redact.refuse_ambiguous(self._url, f"The URL of the store “{alias}”")
        self._database = _text(alias, options, "DATABASE", _database_of(self._url))
        self._ledger_name = _text(alias, options, "LEDGER", "accord_ledger")
        self._replica_set_required = _truth(alias, options, "REPLICA_SET_REQUIRED")
        self._place = Place(alias, redact.address(self._url))
        self._opened: MongoClient[dict[str, Any]] | None = None
        self._ledger: Ledger | None = None

    def ping(self) -> StoreInfo:
        with self.translated():
            admin = self._client.admin
            hello, build = admin.command("hello"), admin.command("buildInfo")
            check_server(
                hello, build["versionArray"], self._place, replica_set_required=self._replica_set_required
            )
            # A server lets anybody ask the two questions above; this one needs the right to read.
            self.database()[self._ledger_name].find_one({}, {"_id": 1})
        return StoreInfo(
            alias=self.alias,
            kind="MongoDB",
            version=build["version"],
            address=self._place.address,
            detail=_membership(hello),
        )

    def replica_status(self) -> Mapping[str, Any]:
        """
        Ask the replica set how its members are; a server that stands alone and a router have none.

        Raises:
            StoreRefused: Our user lacks the right (`clusterMonitor`).
            StoreUnavailable: No primary can be reached.
        """
        with self.translated():
            if "setName" not in self._client.admin.command("hello"):
                return {}
            status: Mapping[str, Any] = self._client.admin.command("replSetGetStatus")
        return status

    # --- RevisionStore, Probes, Closes -----------------------------------------------------------------

    def connected_ledger(self) -> Ledger:
        """Return the ledger, told by the server whether it has transactions."""
        if self._ledger is None:
            hello = self._client.admin.command("hello")
            self._ledger = self._ledger_in(self.database(), transactions=has_transactions(hello))
        return self._ledger

    @contextmanager
    def glance(self) -> Iterator[Ledger]:
        """Open the ledger for one question; see :meth:`_glance`."""
        with self._glance() as database:
            yield self._ledger_in(database, transactions=True)

    def translated(self) -> AbstractContextManager[None]:
        """Turn what the driver raises into errors of the suite."""
        return translated(self._place, lambda: self._opened)

    def context(self, progress: Progress) -> Context:
        """Build what an operation works with."""
        return Context(self.database(), progress, self.connected_ledger())

    def documents(self, name: str) -> HowMany:
        """Count the documents of a collection, or return what the server remembers if that takes long."""
        from pymongo.errors import ExecutionTimeout

        live = read_collection(self.database(), name)
        if live is None or live.options.get("viewOn"):
            return HowMany(0)  # a view shows what another collection holds
        collection = self.database()[name]
        try:
            return HowMany(collection.count_documents({}, maxTimeMS=int(LOOK_SECONDS * 1000)))
        except ExecutionTimeout:
            return HowMany(collection.estimated_document_count(), is_estimate=True)

    def asked(self, step: Step) -> AbstractContextManager[Any]:
        """Open the database, of which assertions are functions."""
        return nullcontext(self.database())

    def admit(self, operations: Sequence[Operation]) -> None:
        """Raise when operations need transactions, and the server stands alone."""
        needy = any(operation.needs_transactions for operation in operations)
        if needy and not self.connected_ledger().transactional:
            raise replica_set_missing(self._place)

    def renderer(self, *, offline: bool) -> Show[Operation]:
        """Return a function that shows what operations would send."""
        return _explained

    def failure(self, exc: Exception, place: str) -> Exception:
        """Return the error that names the place; one about the connection stays what it is."""
        from pymongo.errors import ConnectionFailure, PyMongoError

        answer = server_answer(exc)
        if isinstance(answer, ConnectionFailure):
            return exc
        if not isinstance(answer, PyMongoError):
            return super().failure(exc, place)
        said = plain_message(answer, self.words)
        cause = mongo_causes.trouble_of(answer) or mongo_causes.limit_of(answer)
        if cause is not None:
            hint = cause.hint.format(where=self._place.setting)
            return StepFailed(f"{place}: the server {cause.says} ({said}).", hint=hint)
        return StepFailed(f"{place}: {said}.", hint=_way_on(answer))

    def was_refused(self, exc: Exception) -> bool:
        """Check that the server has said no; after a timeout or a change of primary it may still act."""
        from pymongo.errors import ConnectionFailure, PyMongoError

        if isinstance(exc, PyMongoError):
            labels = ("RetryableWriteError", "TransientTransactionError", "UnknownTransactionCommitResult")
            unknown = (
                isinstance(exc, ConnectionFailure) or exc.timeout or any(map(exc.has_error_label, labels))
            )
            return not unknown
        return super().was_refused(exc)

    def foretell(
        self, steps: Sequence[Step], direction: Direction, shown: Shown | None = None
    ) -> Iterator[Foretold]:
        """Ask the server what would become of steps. See :class:`accord.seam.foretelling.Foretells`."""
        with self.translated():
            yield from foretelling.foretell(self, steps, direction, self._looking, self._told)

    def could_refuse(self, steps: Sequence[Step], direction: Direction) -> bool:
        """Check for a collection that is not the ledger's: an empty database refuses nothing."""
        with self.translated():
            return any(name != self._ledger_name for name in self.database().list_collection_names())

    # --- HasTestStore ----------------------------------------------------------------------------------

    @staticmethod
    def test_options(
        alias: str, options: Mapping[str, object], test: Mapping[str, object], suffix: str
    ) -> Mapping[str, object]:
        """Return the options of the test store. See :class:`accord.seam.stores.HasTestStore`."""
        from mongo_migrations import test_database

        return test_database.options(alias, options, test, suffix, _refuse_unknown)

    @staticmethod
    def overlaps(test: Mapping[str, object], real: Mapping[str, object]) -> bool:
        """Compare the databases. See :class:`accord.seam.stores.HasTestStore`."""
        from mongo_migrations import test_database

        return test_database.is_same(test, real)

    def make_test_store(self, *, keep: bool) -> None:
        """Empty the test database. See :class:`accord.seam.stores.HasTestStore`."""
        from mongo_migrations import test_database

        with self.translated():
            test_database.make(self.database(), self._ledger_name, keep=keep)

    def drop_test_store(self) -> None:
        """Drop the test database. See :class:`accord.seam.stores.HasTestStore`."""
        from mongo_migrations import test_database

        with self.translated():
            test_database.drop(self.database(), self._ledger_name)

    def close(self) -> None:
        if self._ledger is not None:
            self._ledger.close()
        if self._opened is not None:
            self._opened.close()
        self._opened = self._ledger = None

    # --- for applications and tests ------------------------------------------------------------------

    def database(self) -> Database[dict[str, Any]]:
        """Return the database, opened when it is first used; reads go to the primary."""
        return self._of(self._client)

    # --- inside --------------------------------------------------------------------------------------

    def _of(self, client: MongoClient[dict[str, Any]]) -> Database[dict[str, Any]]:
        from pymongo import ReadPreference

        return client.get_database(self._database, read_preference=ReadPreference.PRIMARY)

    def _looking(self, key: StepKey) -> Context:
        """Build what an operation looks with, and writes nothing."""
        lease = Lease(scope="look", owner="", run_id="", fence=0)
        return self.context(Progress(StepEntry(key=key), (), self.connected_ledger(), lease, silent))

    def _told(self, key: StepKey, operation: AnyOperation[Any], exc: Exception) -> Foretold:
        """Judge what a look raised; the words of the driver may quote a document."""
        from pymongo.errors import ConnectionFailure, PyMongoError

        if isinstance(exc, PyMongoError) and not isinstance(exc, ConnectionFailure):
            return foretelling.unknown(
                key, operation.title, f"Nobody could look: {plain_message(exc, self.words)}."
            )
        if isinstance(exc, ConnectionFailure):
            raise exc
        return foretelling.judged(key, operation, exc)

    @property
    def _client(self) -> MongoClient[dict[str, Any]]:
        if self._opened is None:
            self._opened = open_client(self._url, conf.load().connect_timeout, self._place)
        return self._opened

    @contextmanager
    def _glance(self) -> Iterator[Database[dict[str, Any]]]:
        """Ask the database one question, by a client that is gone afterwards unless one is open."""
        if self._opened is not None:
            with self.translated():
                yield self.database()
            return
        with briefly():
            client = open_client(
                self._url, conf.load().connect_timeout, self._place, serverMonitoringMode="poll"
            )
            try:
                with translated(self._place, lambda: client):
                    yield self._of(client)
            finally:
                client.close()

    def _ledger_in(self, database: Database[dict[str, Any]], *, transactions: bool) -> Ledger:
        return Ledger(database, self._ledger_name, self.alias, transactions=transactions)


def _way_on(error: PyMongoError) -> str:
    if retries.is_too_much(error):
        return (
            "The server ended the transaction: it took too long, was too large, or others wrote the same. "
            "Do less in it, with RunBatches or in several revisions, and run again."
        )
    return "Correct the revision or the data and run again; what is done is recorded."


def _explained(_: StepKey, operation: Operation, direction: Direction) -> Sequence[Statement]:
    return operation.explain(direction)


def _refuse_unknown(alias: str, options: Mapping[str, object]) -> None:
    for name in options:
        if name not in _OPTIONS:
            near = difflib.get_close_matches(name, _OPTIONS, n=1)
            raise ConfigurationError(
                f"ACCORD['STORES']['{alias}'] has no option {name}.",
                hint=f"Did you mean {near[0]}?" if near else f"Options: {', '.join(_OPTIONS)}.",
            )


def _text(alias: str, options: Mapping[str, object], name: str, default: str) -> str:
    value = options.get(name) or default
    if isinstance(value, str) and value:
        return value
    raise ConfigurationError(
        f"ACCORD['STORES']['{alias}'] needs a text as {name}.",
        hint="A URL such as mongodb://host:27017/database?replicaSet=rs0 gives the database as well.",
    )


def _truth(alias: str, options: Mapping[str, object], name: str) -> bool:
    value = options.get(name, True)
    if isinstance(value, bool):
        return value
    # The text "False" is true to Python.
    raise ConfigurationError(
        f"ACCORD['STORES']['{alias}'] needs True or False as {name}.",
        hint="Write it without quotes; a value of the environment has to be read as a truth value first.",
    )


def _database_of(url: str) -> str:
    return unquote(urlsplit(url).path.lstrip("/"))


def _membership(hello: Mapping[str, Any]) -> str:
    if "setName" in hello:
        return f"replica set {hello['setName']}"
    return "sharded cluster" if hello.get("msg") == "isdbgrid" else "stands alone"
