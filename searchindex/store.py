"""The search store: revisions of indexes, applied to Elasticsearch or OpenSearch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from accord import conf
from accord.errors import ConfigurationError, StoreUnavailable
from accord.events import silent
from accord.revisions.entry import Facts
from accord.revisions.leaving import LeavesLedger
from accord.revisions.marking import KeepsMarksInLedger
from accord.revisions.operation import Operation as AnyOperation
from accord.revisions.progress import Progress
from accord.revisions.store import Show
from accord.seam.describing import Description
from accord.seam.foretelling import Foretold
from accord.seam.losses import HowMany
from accord.seam.stores import StoreFeatures, StoreInfo
from accord.seam.traces import Trace
from accord.seam.types import Direction, Lease, Probe, Shown, Statement, Step, StepKey
from accord.seam.undeclared import Undeclared
from searchindex.carrying import Carries
from searchindex.context import Context, Deployment
from searchindex.endpoint import parse_url
from searchindex.failing import TellsFailures
from searchindex.ledger import Ledger
from searchindex.migration import KIND
from searchindex.names import Names
from searchindex.operations.base import Expected, Operation
from searchindex.transport import ReplyLost, Transport, at
from searchindex.views import is_whole

if TYPE_CHECKING:
    # What only a run with something to do needs is imported where it begins.
    from searchindex.engines.base import Engine

_OPTIONS = frozenset({"URL", "PREFIX", "LEDGER", "CA_CERTS", "API_KEY"})


class SearchStore(Carries, TellsFailures, LeavesLedger, KeepsMarksInLedger):
    """
    Search revisions of every installed app, on one server.

    Args:
        alias: Name of the store.
        options: `URL`; `PREFIX` of every index, alias and template (default: none); `LEDGER`,
            alias of the index that holds the ledger (default: prefix and `accord-ledger`);
            `CA_CERTS`, file with trusted certificates; `API_KEY`, encoded.

    Raises:
        ConfigurationError: An option is unknown, missing or of the wrong type.
    """

    features = StoreFeatures(derived=True)
    kind = KIND

    def __init__(self, alias: str, options: Mapping[str, object]) -> None:
        super().__init__(alias)
        texts = _texts(alias, options)
        self.names = Names(texts.get("PREFIX", ""))
        self._timeout = conf.load().connect_timeout
        endpoint = parse_url(
            texts.get("URL", ""),
            setting=f"ACCORD['STORES']['{alias}']['URL']",
            connect_timeout=self._timeout,
            ca_certs=texts.get("CA_CERTS", ""),
            api_key=texts.get("API_KEY", ""),
        )
        self.transport = Transport(endpoint)
        name = texts.get("LEDGER") or self.names.ledger()
        self.ledger = Ledger(transport=self.transport, name=name, store=alias, timeout=self._timeout)

    @staticmethod
    def ledger_place(alias: str, options: Mapping[str, object]) -> str:
        """Name server and ledger. See :class:`accord.seam.stores.NamesLedger`."""
        texts = _texts(alias, options)
        name = texts.get("LEDGER") or Names(texts.get("PREFIX", "")).ledger()
        return f"{name} at {parse_url(texts.get('URL', ''), connect_timeout=1).address}"

    @cached_property
    def engine(self) -> Engine:
        """What answers; asked once a connection."""
        from searchindex.engines.identify import identify

        return identify(self.transport)

    def ping(self) -> StoreInfo:
        """Ask the server who it is. See :class:`accord.seam.stores.Store`."""
        from searchindex.engines.identify import supported, who_answers

        identity = who_answers(self.transport, timeout=self._timeout)
        supported(identity, self.transport.endpoint)
        return StoreInfo(
            alias=self.alias,
            kind=identity.kind,
            version=identity.version,
            address=self.transport.endpoint.address,
            detail=f"prefix {self.names.prefix}" if self.names.prefix else "",
        )

    def connected_ledger(self) -> Ledger:
        """Return the ledger."""
        return self.ledger

    def context(self, progress: Progress) -> Context:
        """Build what an operation works with."""
        deployment = self._deployment(progress.key, self.engine)
        return Context(
            transport=self.transport,
            deployment=deployment,
            engine=self.engine,
            lease=progress.lease,
            report=progress.report,
            saved=progress.facts,
            leave=progress.leave,
        )

    @contextmanager
    def asked(self, step: Step) -> Iterator[Any]:
        """Open a client with the store's names: assertions are functions of it, as those of RunPython are."""
        from searchindex.operations.python import PythonContext

        looking = Lease(scope="look", owner="", run_id="", fence=0)
        context = PythonContext(
            Context(
                transport=self.transport,
                deployment=self._deployment(step.key, self.engine),
                engine=self.engine,
                lease=looking,
                report=silent,
            )
        )
        try:
            yield context
        finally:
            context.close()

    def renderer(self, *, offline: bool) -> Show[Operation]:
        """Return a function that shows what operations would send, in the engine's words if it answers."""
        engine = None if offline else self._engine_if_reachable()
        names = Names() if offline else self.names

        def show(key: StepKey, operation: Operation, direction: Direction) -> Iterable[Statement]:
            return operation.explain(Deployment(key=key, names=names, engine=engine), direction)

        return show

    def take_back(self, context: Context, facts: Facts) -> bool:
        """Take back a copy that was begun: its block, its task, and the half filled index."""
        if "source" not in facts or "blocked" not in facts:
            return False
        from searchindex.reindex.taken_back import take_back

        return take_back(context, facts)

    def probe(self, steps: Sequence[Step]) -> Iterator[Probe]:
        """Look for the effects of steps. See :class:`accord.seam.stores.Probes`."""
        from searchindex.probing import judge

        expected = Expected()
        touched = {step.key: self._expect(step, expected) for step in steps}
        for step in steps:
            each = touched[step.key]
            keys = [key for found in each.values() for key in found]
            unproved = [f"Whether “{title}” ran can't be looked at." for title in each if not each[title]]
            yield judge(self._looking(step.key), step.key, keys, expected, unproved)

    product = "search"
    """Which product it is. See :class:`accord.seam.undeclared.TellsUndeclared`."""

    def taken(self) -> Collection[str]:
        """Name the ledger. See as above."""
        return (self.ledger.name,)

    def undeclared(self, steps: Sequence[Step]) -> Iterator[Undeclared]:
        """Name indexes under the prefix that no revision declares. See as above."""
        from searchindex.undeclared import undeclared

        expected = Expected()
        for step in steps:
            self._expect(step, expected)
        yield from undeclared(self.transport, self.names, expected, self.ledger.name)

    def describe(self) -> Description | None:
        """Describe what begins with the prefix. See :class:`accord.seam.describing.Describes`."""
        from searchindex.describing import describe

        return describe(self.transport, self.names, self.ledger.name)

    def place_of(self, key: StepKey) -> Deployment:
        """Return the deployment: names of indexes hang on it."""
        return self._deployment(key, self.engine)

    def documents(self, name: str) -> HowMany:
        """Count the documents of an index, or of those behind an alias, those of the last moment included."""
        refreshed = self.transport.request("POST", at(name, "_refresh"), accept=(400, 404))
        if refreshed.status == HTTPStatus.NOT_FOUND:
            return HowMany(0)
        answer = self.transport.request("GET", at(name, "_count"), accept=(400, 404))
        if answer.status != HTTPStatus.OK or not is_whole(answer.body):
            return HowMany(None)
        return HowMany(int(answer.body["count"]))

    def foretell(
        self, steps: Sequence[Step], direction: Direction, shown: Shown | None = None
    ) -> Iterator[Foretold]:
        """Ask the server what would become of steps. See :class:`accord.seam.foretelling.Foretells`."""
        from accord.revisions.foretelling import foretell
        from searchindex.looks import HastyTransport

        hasty = HastyTransport(self.transport.endpoint)

        def looking(key: StepKey) -> Context:
            return self._looking(key, hasty)

        try:
            yield from foretell(self, steps, direction, looking, self._told)
        finally:
            hasty.close()

    def could_refuse(self, steps: Sequence[Step], direction: Direction) -> bool:
        """Check for an operation on what may stand; a new index is tried by the step itself."""
        named = (operation for step in steps for operation in self.operations(step.key))
        return any(operation.meets_documents for operation in named)

    def _told(self, key: StepKey, operation: AnyOperation[Any], exc: Exception) -> Foretold:
        from accord.revisions.foretelling import judged, unknown

        if isinstance(exc, ReplyLost):
            return unknown(key, operation.title, "Nobody could look: the server took too long to answer.")
        return judged(key, operation, exc)

    def _looking(self, key: StepKey, transport: Transport | None = None) -> Context:
        """Build what an operation looks with, and writes nothing."""
        return Context(
            transport=transport or self.transport,
            deployment=self._deployment(key, self.engine),
            engine=self.engine,
            lease=Lease(scope="probe", owner="", run_id="", fence=0),
            report=silent,
        )

    # --- HasTestStore ----------------------------------------------------------------------------------

    @staticmethod
    def test_options(
        alias: str, options: Mapping[str, object], test: Mapping[str, object], suffix: str
    ) -> Mapping[str, object]:
        """Return the options of the test store. See :class:`accord.seam.stores.HasTestStore`."""
        from searchindex import test_prefix

        return test_prefix.options(alias, options, test, suffix)

    @staticmethod
    def overlaps(test: Mapping[str, object], real: Mapping[str, object]) -> bool:
        """Compare the prefixes. See :class:`accord.seam.stores.HasTestStore`."""
        from searchindex import test_prefix

        return test_prefix.is_within(test, real)

    def make_test_store(self, *, keep: bool) -> None:
        """Remove what an earlier run of tests left. See :class:`accord.seam.stores.HasTestStore`."""
        from searchindex import test_prefix

        test_prefix.make(self.transport, self.names.prefix, self.ledger.name, keep=keep)

    def drop_test_store(self) -> None:
        """Remove all that the tests' prefix stands before. See :class:`accord.seam.stores.HasTestStore`."""
        from searchindex import test_prefix

        test_prefix.drop(self.transport, self.names.prefix, self.ledger.name)

    # --- LeavesTraces ----------------------------------------------------------------------------------

    def traces(self) -> Sequence[Trace]:
        """Look for the ledger, for how far imports are, and for scratch indexes that a kill left behind."""
        scratch = [Trace(what=f"index {name}", number=0, unit="document") for name in self._scratch()]
        return (*super().traces(), *scratch)

    def take_out(self, lease: Lease, *, evidence: bool) -> None:
        """Take out the ledger and scratch indexes. See :class:`accord.seam.traces.LeavesTraces`."""
        super().take_out(lease, evidence=evidence)
        for name in self._scratch():
            self.transport.request("DELETE", at(name), accept=(404,))

    def _scratch(self) -> Sequence[str]:
        names = f"{self.names.scratch('*')},{self.names.imports()}"
        path = f"{at(names)}/_alias?expand_wildcards=all&ignore_unavailable=true"
        return sorted(self.transport.find(path) or ())

    def close(self) -> None:
        """Close the connection. See :class:`accord.seam.stores.Closes`."""
        self.transport.close()
        self.__dict__.pop("engine", None)

    def _expect(self, step: Step, expected: Expected) -> Mapping[str, Sequence[tuple[str, str]]]:
        """Write down what a step leaves; return what each of its operations touches, by its title."""
        deployment = self._deployment(step.key, self.engine)
        touched: dict[str, list[tuple[str, str]]] = {}
        for operation in self.operations(step.key):
            touched.setdefault(operation.title, []).extend(operation.expect(deployment, expected))
        return touched

    def _deployment(self, key: StepKey, engine: Engine | None) -> Deployment:
        return Deployment(key=key, names=self.names, engine=engine)

    def _engine_if_reachable(self) -> Engine | None:
        try:
            return self.engine
        except StoreUnavailable:
            return None


def _texts(alias: str, options: Mapping[str, object]) -> Mapping[str, str]:
    """Check the options: known names, texts only."""
    texts: dict[str, str] = {}
    for name, value in options.items():
        if name not in _OPTIONS or not isinstance(value, str):
            raise ConfigurationError(
                f"ACCORD['STORES']['{alias}']['{name}'] is not an option of a search store, or not a text.",
                hint=f"Options: {', '.join(sorted(_OPTIONS))}.",
            )
        texts[name] = value
    return texts
