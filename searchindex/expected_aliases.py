"""Which index should stand behind which alias, told from the applied revisions."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from searchindex.context import Deployment
from searchindex.operations.base import Expected, Operation

if TYPE_CHECKING:
    from searchindex.store import SearchStore


@dataclass(kw_only=True)
class ExpectedAliases:
    """
    What stands behind the aliases after a number of revisions.

    Attributes:
        aliases: Alias to the indexes behind it.
        made: Every index that an applied revision ever made.
        coming: Indexes that a revision makes which was begun and has not ended.
    """

    aliases: dict[str, set[str]] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    coming: set[str] = field(default_factory=set)
    _expected: Expected = field(default_factory=Expected)

    def tolerates(self, live: AbstractSet[str], wanted: AbstractSet[str]) -> bool:
        """
        Return whether an alias may point there.

        Besides the wanted indexes these may be behind it: one that a revision under way makes, and
        one that no revision made: it was there before and was adopted by a baseline. An older index
        of our own may not.
        """
        foreign = bool(live) and not live & self.made
        return live == wanted or foreign or bool(live & self.coming)

    def follow(self, operation: Operation, deployment: Deployment) -> None:
        """Do to the placement what an operation does to the server."""
        if operation.makes:
            self._put(deployment.alias(operation.makes), deployment.physical(operation.makes))
        for kind, name in operation.expect(deployment, self._expected):
            if kind == "alias":
                self._point(deployment, name)
            elif kind == "index" and self._expected.objects[kind, name] is None:
                self._drop(deployment.alias(name))

    def _put(self, alias: str, index: str) -> None:
        """Make an index; where another was behind its alias, it takes that one's place everywhere."""
        self.made.add(index)
        old = self.aliases.get(alias, set())
        for other, indexes in self.aliases.items():
            if indexes & old:
                self.aliases[other] = indexes - old | {index}
        self.aliases[alias] = {index}

    def _point(self, deployment: Deployment, name: str) -> None:
        logical: Collection[str] | None = self._expected.objects["alias", name]
        alias = deployment.alias(name)
        if logical is None:
            self.aliases.pop(alias, None)
            return
        behind = [self.aliases.get(deployment.alias(one), set()) for one in logical]
        self.aliases[alias] = set().union(*behind)

    def _drop(self, alias: str) -> None:
        gone = self.aliases.get(alias, set())
        rest = {other: indexes - gone for other, indexes in self.aliases.items()}
        self.aliases = {other: indexes for other, indexes in rest.items() if indexes}


def expected_placement(store: SearchStore) -> ExpectedAliases:
    """
    Read the ledger, and follow the applied revisions in their order.

    Args:
        store: A search store; the server is asked for its ledger only.
    """
    ledger = store.recorded()
    expected = ExpectedAliases()
    for step in store.steps():
        # Names are all that is wanted here, so the server needn't tell which engine it is.
        deployment = Deployment(key=step.key, names=store.names, engine=None)
        operations = store.operations(step.key)
        if step.key in ledger.begun:
            expected.coming |= {deployment.physical(found.makes) for found in operations if found.makes}
        if step.key in ledger.applied and step.key not in ledger.begun:
            for operation in operations:
                expected.follow(operation, deployment)
    return expected
