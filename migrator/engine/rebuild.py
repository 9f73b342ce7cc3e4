"""
Rebuilding a store that is new, empty, or was lost or restored: its steps run again, and no others.

Steps of other stores that need them are applied already and stay so. Where the ledger says that
everything is applied, the store is asked; what is recorded and gone is forgotten first, all of it,
so that a kill in between leaves what the next rebuild understands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from accord.errors import NotConfirmed, UnknownStore, UsageError
from accord.seam.stores import Probes, Store
from accord.seam.types import Presence, Probe, Step, StepKey
from accord.words import counted
from migrator.engine.drift import Drift
from migrator.engine.plan import Plan, Target, plan_forward
from migrator.engine.request import Request
from migrator.engine.situation import Situation

_STANDS = (Presence.DONE, Presence.PARTIAL, Presence.CONFLICTING)
_MISSES = (Presence.ABSENT, Presence.PARTIAL)


def is_mended(found: Drift, target: Target) -> bool:
    """
    Check whether a rebuild settles a disagreement: a step is missing that the rebuild applies.

    Args:
        found: The disagreement.
        target: What is rebuilt: one store, and perhaps one app of it.
    """
    return found.missing is not None and _within(found.missing, target)


def plan_rebuild(situation: Situation, target: Target, stores: Mapping[str, Store]) -> Plan:
    """
    Plan a rebuild. The store is asked what stands of the steps that its ledger holds; nothing is changed.

    Args:
        situation: Files and ledgers.
        target: One store, and perhaps one app of it.
        stores: The stores by alias.

    Returns:
        The steps to apply, in order; those that :func:`lost` names are forgotten first.

    Raises:
        UnknownStore: There is no such store.
        UnknownApp: It has no such app.
        UsageError: Its steps stand, or it can't be asked whether they do.
        DriftError: Other disagreements than those that a rebuild settles.
    """
    situation.refuse_drift(lambda found: is_mended(found, target))
    gone = lost(situation, target, stores)
    return plan_forward(situation.graph, situation.done - gone, target)


def lost(situation: Situation, target: Target, stores: Mapping[str, Store]) -> frozenset[StepKey]:
    """
    Return the steps that the ledger holds and of which nothing stands.

    Args:
        situation: Files and ledgers.
        target: What is rebuilt.
        stores: The stores by alias.

    Returns:
        All recorded steps of the target, or none.

    Raises:
        UnknownStore: There is no such store.
        UsageError: Nothing is pending, and the steps stand or the store can't be asked.
    """
    (alias,) = target.stores
    if alias not in stores:
        raise UnknownStore(f"There is no store “{alias}”.", hint=f"Stores: {', '.join(sorted(stores))}.")
    recorded = _in_order(situation, (key for key in situation.done if _within(key, target)))
    pending = [key for key in situation.graph.steps if _within(key, target) and key not in situation.done]
    found = _probed(stores[alias], recorded)
    if any(probe.presence in _MISSES for probe in found) and not any(map(_stands_of, found)):
        return frozenset(step.key for step in recorded)
    if not pending:
        raise _stands(alias, recorded, found)
    return frozenset()


def refuse_loss(request: Request, stores: Mapping[str, Store]) -> None:
    """
    Make sure that a person agreed to it where the store holds data that no step brings back.

    Raises:
        NotConfirmed: Nobody agreed.
    """
    (alias,) = request.target.stores
    if not stores[alias].features.derived and not request.data_is_lost:
        raise NotConfirmed(
            f"“{alias}” holds data of its own: its steps make what is empty, and can't bring data back.",
            hint="Restore a backup. If the data is lost for good, add --data-is-lost.",
        )


def _probed(store: Store, steps: Sequence[Step]) -> Sequence[Probe]:
    if not steps or not isinstance(store, Probes):
        return ()
    return list(store.probe(steps))


def _stands_of(probe: Probe) -> bool:
    """Return whether anything of a step is there; that something is gone, as it should be, is nothing."""
    return probe.presence in _STANDS if probe.stands is None else probe.stands


def _in_order(situation: Situation, keys: Iterable[StepKey]) -> Sequence[Step]:
    wanted = frozenset(keys)
    return [situation.graph.steps[key] for key in situation.graph.order() if key in wanted]


def _within(key: StepKey, target: Target) -> bool:
    return key.store in target.stores and target.app in ("", key.app)


def _stands(alias: str, recorded: Sequence[Step], found: Sequence[Probe]) -> UsageError:
    standing = sum(map(_stands_of, found))
    if standing:
        return UsageError(
            f"There is nothing to rebuild in “{alias}”: its ledger holds {counted(len(recorded), 'step')}, "
            f"and what {standing} of them made stands.",
            hint="To do one of them again: migrate_all --revert --step STEP, then migrate_all.",
        )
    return UsageError(
        f"Whether “{alias}” lost anything can't be told: its ledger holds every step, and none of them "
        "leaves anything that can be looked for.",
        hint="To do a step again: migrate_all --revert --step STEP, then migrate_all.",
    )
