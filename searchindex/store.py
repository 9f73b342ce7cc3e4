"""The search store: revisions of indexes, applied to Elasticsearch or OpenSearch."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from accord import conf
from accord.errors import ConfigurationError, StoreUnavailable
from accord.events import Reporter, silent
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
from searchindex.endpoint import parse_url
from searchindex.ledger import Ledger
from searchindex.loader import Loader
from searchindex.names import Names
from searchindex.operations.base import Context, Expected, Operation, Surroundings
from searchindex.transport import Transport

if TYPE_CHECKING:
    # What only a run with something to do needs is imported where it begins.
    from searchindex.engines.base import Engine
    from searchindex.running import StepRun

_OPTIONS = frozenset({"URL", "PREFIX", "LEDGER", "CA_CERTS", "API_KEY"})


class SearchStore:
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

    features = StoreFeatures(records_atomically=False, supports_revert=True)

    def __init__(self, alias: str, options: Mapping[str, object]) -> None:
        self.alias = alias
        texts = _texts(alias, options)
        self.names = Names(texts.get("PREFIX", ""))
        self._timeout = conf.load().connect_timeout
        endpoint = parse_url(
            texts.get("URL", ""),
            connect_timeout=self._timeout,
            ca_certs=texts.get("CA_CERTS", ""),
            api_key=texts.get("API_KEY", ""),
        )
        self.wire = Transport(endpoint)
        self.ledger = Ledger(wire=self.wire, name=texts.get("LEDGER") or self.names.ledger(), store=alias)
        self._loader = Loader(alias)

    @cached_property
    def _engine(self) -> Engine:
        from searchindex.engines.identify import identify

        return identify(self.wire)

    def ping(self) -> StoreInfo:
        """Ask the server who it is. See :class:`accord.stores.Store`."""
        from searchindex.engines.identify import supported, who_answers

        identity = who_answers(self.wire, timeout=self._timeout)
        supported(identity, self.wire.endpoint.address)
        return StoreInfo(
            alias=self.alias,
            kind=identity.kind,
            version=identity.version,
            address=self.wire.endpoint.address,
            detail=f"prefix {self.names.prefix}" if self.names.prefix else "",
        )

    def steps(self) -> Sequence[Step]:
        """Read the steps from disk. See :class:`accord.stores.Store`."""
        return self._loader.steps

    def applied(self) -> Mapping[StepKey, AppliedStep]:
        """Read the ledger, in one request. See :class:`accord.stores.Store`."""
        return self.ledger.applied(timeout=self._timeout)

    def unfinished(self) -> Collection[StepKey]:
        """Name the steps that a run began and did not end. See :class:`accord.stores.Unfinished`."""
        return self.ledger.unfinished(timeout=self._timeout)

    def operations(self, key: StepKey) -> Sequence[Operation]:
        """
        Give what a step does.

        Raises:
            UnknownTarget: No file declares the step.
        """
        return self._loader.operations(key)

    def apply(self, step: Step, lease: Lease, report: Reporter = silent) -> StepOutcome:
        """Apply a step and record it. See :class:`accord.stores.Store`."""
        return self._run(step, lease, report).apply()

    def revert(self, step: Step, lease: Lease, report: Reporter = silent) -> StepOutcome:
        """Undo a step and strike it from the ledger. See :class:`accord.stores.Store`."""
        return self._run(step, lease, report).revert()

    def record(self, step: Step, lease: Lease) -> None:
        """Write a step into the ledger as applied. See :class:`accord.stores.Records`."""
        from searchindex.running import new_entry, recorded

        entry = recorded(new_entry(step, lease), len(self._loader.operations(step.key)), self.ledger.now())
        self.ledger.write(step, entry, lease)

    def forget(self, step: Step, lease: Lease) -> None:
        """Strike a step from the ledger. See :class:`accord.stores.Records`."""
        if self.ledger.entry(step, lease) is not None:
            self.ledger.remove(step, lease)

    def explain(
        self, steps: Sequence[Step], direction: Direction
    ) -> Iterator[tuple[Step, Sequence[Statement]]]:
        """Show the requests of steps. See :class:`accord.stores.Explains`."""
        engine = self._engine_if_reachable()
        for step in steps:
            around = Surroundings(key=step.key, names=self.names, engine=engine)
            operations = self._loader.operations(step.key)
            ordered = operations if direction is Direction.APPLY else reversed(operations)
            yield step, [shown for operation in ordered for shown in operation.explain(around, direction)]

    def probe(self, steps: Sequence[Step]) -> Iterator[Probe]:
        """Look for the effects of steps. See :class:`accord.stores.Probes`."""
        from searchindex.probing import judge

        expected = Expected()
        touched = {step.key: self._foresee(step, expected) for step in steps}
        lease = Lease(scope="probe", owner="", run_id="", fence=0)
        for step in steps:
            yield judge(self._context(step, lease, silent, {}), step.key, touched[step.key], expected)

    def close(self) -> None:
        """Let the connection go. See :class:`accord.stores.Closes`."""
        self.wire.close()
        self.__dict__.pop("_engine", None)

    def _foresee(self, step: Step, expected: Expected) -> Sequence[tuple[str, str]]:
        around = Surroundings(key=step.key, names=self.names, engine=self._engine)
        operations = self._loader.operations(step.key)
        return [key for operation in operations for key in operation.foresee(around, expected)]

    def _engine_if_reachable(self) -> Engine | None:
        try:
            return self._engine
        except StoreUnavailable:
            return None

    def _context(self, step: Step, lease: Lease, report: Reporter, saved: Mapping[str, object]) -> Context:
        around = Surroundings(key=step.key, names=self.names, engine=self._engine)
        return Context(
            wire=self.wire, around=around, engine=self._engine, lease=lease, report=report, saved=saved
        )

    def _run(self, step: Step, lease: Lease, report: Reporter) -> StepRun:
        from searchindex.running import StepRun

        return StepRun(
            step=step,
            operations=self._loader.operations(step.key),
            ledger=self.ledger,
            lease=lease,
            report=report,
            context=lambda saved: self._context(step, lease, report, saved),
        )


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
