"""The store of MongoDB revisions, as the engine sees it."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from accord import conf, redact
from accord.errors import ConfigurationError, UnknownTarget
from accord.events import Reporter, silent
from accord.mongo_driver import briefly
from accord.stores import StoreFeatures
from accord.types import (
    AppliedStep,
    Direction,
    Lease,
    Probe,
    Statement,
    Step,
    StepKey,
    StepOutcome,
    StoreInfo,
)
from mongo_migrations.client import Place, check_server, has_transactions, open_client, translated
from mongo_migrations.ledger import Ledger
from mongo_migrations.loader import LoadedRevision, load
from mongo_migrations.runner import Runner
from mongo_migrations.schema import LiveSchema, Outline, findings, judge

if TYPE_CHECKING:
    from pymongo import MongoClient
    from pymongo.database import Database

_OPTIONS = ("URL", "DATABASE", "LEDGER", "REPLICA_SET_REQUIRED")


class MongoStore:
    """
    A MongoDB database whose schema and documents are changed by revisions.

    Args:
        alias: Name of the store.
        options: `URL`; `DATABASE` (by default the one in the URL's path); `LEDGER`, the
            ledger's collection (`accord_ledger`); `REPLICA_SET_REQUIRED` (True).

    Raises:
        ConfigurationError: An option is missing, unknown or of the wrong type.
    """

    features = StoreFeatures(records_atomically=False, supports_revert=True)

    def __init__(self, alias: str, options: Mapping[str, object]) -> None:
        _refuse_unknown(alias, options)
        self.alias = alias
        self._url = _text(alias, options, "URL", "")
        self._database = _text(alias, options, "DATABASE", _database_of(self._url))
        self._ledger_name = _text(alias, options, "LEDGER", "accord_ledger")
        self._replica_set_required = bool(options.get("REPLICA_SET_REQUIRED", True))
        self._place = Place(alias, redact.address(self._url))
        self._opened: MongoClient[dict[str, Any]] | None = None
        self._ledger: Ledger | None = None
        self._revisions: Mapping[StepKey, LoadedRevision] | None = None

    # --- Store -----------------------------------------------------------------------------------

    def ping(self) -> StoreInfo:
        with self._translated():
            admin = self._client.admin
            hello, build = admin.command("hello"), admin.command("buildInfo")
            check_server(
                hello,
                build["versionArray"],
                self._place,
                replica_set_required=self._replica_set_required,
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

    def steps(self) -> Sequence[Step]:
        self._revisions = load(self.alias)
        return [revision.step for revision in self._revisions.values()]

    def applied(self) -> Mapping[StepKey, AppliedStep]:
        with self._glance() as database:
            return Ledger(database, self._ledger_name, transactions=True).applied(self.alias)

    def apply(self, step: Step, lease: Lease, report: Reporter = silent) -> StepOutcome:
        with self._translated():
            return self._runner(step, lease, report).apply()

    def revert(self, step: Step, lease: Lease, report: Reporter = silent) -> StepOutcome:
        with self._translated():
            return self._runner(step, lease, report).revert()

    def unfinished(self) -> Collection[StepKey]:
        """Name the steps that a run began and did not end. See :class:`accord.stores.Unfinished`."""
        with self._glance() as database:
            return Ledger(database, self._ledger_name, transactions=True).unfinished(self.alias)

    def replica_status(self) -> Mapping[str, Any]:
        """
        Ask the replica set how its members are; a server that stands alone and a router have none.

        Raises:
            StoreRefused: Our user lacks the right (`clusterMonitor`).
            StoreUnavailable: No primary can be reached.
        """
        with self._translated():
            if "setName" not in self._client.admin.command("hello"):
                return {}
            status: Mapping[str, Any] = self._client.admin.command("replSetGetStatus")
        return status

    # --- Explains, Records, Probes, Closes ---------------------------------------------------------

    def explain(
        self, steps: Sequence[Step], direction: Direction
    ) -> Iterator[tuple[Step, Sequence[Statement]]]:
        for step in steps:
            operations = self._revision(step.key).operations
            ordered = operations if direction is Direction.APPLY else tuple(reversed(operations))
            yield step, [statement for operation in ordered for statement in operation.explain(direction)]

    def record(self, step: Step, lease: Lease) -> None:
        operations = len(self._revision(step.key).operations)
        with self._translated():
            self._connected_ledger().complete(step, lease, operations)

    def forget(self, step: Step, lease: Lease) -> None:
        with self._translated():
            self._connected_ledger().strike(step.key, lease)

    def probe(self, steps: Sequence[Step]) -> Iterator[Probe]:
        outline = Outline()
        for step in steps:
            for operation in self._revision(step.key).operations:
                operation.outline(outline, step.key)
        with self._translated():
            found = list(findings(outline, LiveSchema(self.database())))
        for step in steps:
            yield judge(step.key, outline, found)

    def close(self) -> None:
        if self._ledger is not None:
            self._ledger.close()
        if self._opened is not None:
            self._opened.close()
        self._opened = self._ledger = None

    # --- for applications and tests ------------------------------------------------------------------

    def database(self) -> Database[dict[str, Any]]:
        """Give the database, opened when it is first used; reads go to the primary."""
        return self._of(self._client)

    # --- inside --------------------------------------------------------------------------------------

    def _of(self, client: MongoClient[dict[str, Any]]) -> Database[dict[str, Any]]:
        from pymongo import ReadPreference

        return client.get_database(self._database, read_preference=ReadPreference.PRIMARY)

    @property
    def _client(self) -> MongoClient[dict[str, Any]]:
        if self._opened is None:
            self._opened = open_client(self._url, conf.load().connect_timeout, self._place)
        return self._opened

    @contextmanager
    def _glance(self) -> Iterator[Database[dict[str, Any]]]:
        """Ask the database one question, by a client that is gone afterwards unless one is open."""
        if self._opened is not None:
            with self._translated():
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

    def _translated(self) -> Any:
        return translated(self._place, lambda: self._opened)

    def _connected_ledger(self) -> Ledger:
        """Give the ledger, told by the server whether it has transactions."""
        if self._ledger is None:
            hello = self._client.admin.command("hello")
            self._ledger = Ledger(self.database(), self._ledger_name, transactions=has_transactions(hello))
        return self._ledger

    def _runner(self, step: Step, lease: Lease, report: Reporter) -> Runner:
        return Runner(
            db=self.database(),
            ledger=self._connected_ledger(),
            place=self._place,
            revision=self._revision(step.key),
            lease=lease,
            report=report,
        )

    def _revision(self, key: StepKey) -> LoadedRevision:
        if self._revisions is None:
            self._revisions = load(self.alias)
        if key not in self._revisions:
            raise UnknownTarget(f"No file provides {key}.", hint="Restore the file of the revision.")
        return self._revisions[key]


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


def _database_of(url: str) -> str:
    return unquote(urlsplit(url).path.lstrip("/"))


def _membership(hello: Mapping[str, Any]) -> str:
    if "setName" in hello:
        return f"replica set {hello['setName']}"
    return "sharded cluster" if hello.get("msg") == "isdbgrid" else "stands alone"
