"""What stands in the live stores and nobody declares, once all that may be somebody's is left out."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from accord.seam.stores import Store
from accord.seam.types import Step, StepKey
from accord.seam.undeclared import OWN, TellsUndeclared, Undeclared
from migrator.engine.live_settings import LiveSettings
from migrator.engine.situation import Situation


class Claims:
    """
    Tells of what stands whose it may be, although nothing that can be looked at declares it.

    A function or SQL of a step's own may have made whatever its file names. What another store of the same
    product names may be in the same database.

    Args:
        stores: The stores by alias.
        situation: Files and ledgers.
        settings: What is ignored.
        opaque: Steps with a part that can't be looked at.
    """

    def __init__(
        self,
        stores: Mapping[str, Store],
        situation: Situation,
        settings: LiveSettings,
        opaque: Collection[StepKey],
    ) -> None:
        self._stores = stores
        self._situation = situation
        self._settings = settings
        self._opaque = {*opaque, *situation.begun, *situation.half_reverted}
        self._texts: dict[str, Sequence[str]] = {}

    def is_somebodys(self, store: str, thing: str, name: str) -> bool:
        """
        Check whether something may be there for good reason.

        Args:
            store: Where it is.
            thing: What patterns are held against.
            name: Its own name, as files would write it.
        """
        if name.startswith(OWN) or self._settings.ignores(store, thing):
            return True
        word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
        return any(word.search(text) for text in self._sources(store))

    def _sources(self, store: str) -> Sequence[str]:
        """Return the files that may name what they make."""
        if store not in self._texts:
            siblings = self.siblings(store)
            self._texts[store] = [
                step.source.text for step in self._situation.steps if self._counts(step, store, siblings)
            ]
        return self._texts[store]

    def _counts(self, step: Step, store: str, siblings: Collection[str]) -> bool:
        return step.key.store in siblings or (step.key.store == store and step.key in self._opaque)

    def siblings(self, alias: str) -> Collection[str]:
        """Return the other stores of the same product."""
        product = _product(self._stores[alias])
        return {
            other for other in self._stores if other != alias and _product(self._stores[other]) == product
        }


def _product(store: Store) -> str | None:
    return store.product if isinstance(store, TellsUndeclared) else None


def undeclared(
    stores: Mapping[str, Store], situation: Situation, asked: Collection[str], claims: Claims
) -> Iterator[tuple[str, Undeclared]]:
    """
    Name what stands and nobody declares, store by store; once where stores may share a database.

    Args:
        stores: The stores by alias.
        situation: Files and ledgers.
        asked: The stores to look at.
        claims: Tells what may be somebody's.

    Raises:
        StoreUnavailable: A store can't be reached.
    """
    told: set[tuple[str, Undeclared]] = set()
    for alias in (alias for alias in stores if alias in asked):
        store = stores[alias]
        if isinstance(store, TellsUndeclared) and (steps := _standing(situation, alias)):
            taken = {name for other in claims.siblings(alias) for name in _taken(stores[other])}
            for found in store.undeclared(steps):
                somebodys = found.name in taken or claims.is_somebodys(alias, found.thing, found.name)
                if not somebodys and (store.product, found) not in told:
                    told.add((store.product, found))
                    yield alias, found


def _taken(store: Store) -> Collection[str]:
    return store.taken() if isinstance(store, TellsUndeclared) else ()


def _standing(situation: Situation, alias: str) -> Sequence[Step]:
    steps = situation.graph.steps
    return [steps[key] for key in situation.graph.order() if key.store == alias and key in situation.standing]
