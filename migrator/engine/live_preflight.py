"""Live drift before a run: where the policy says so, nothing starts on stores that were changed by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from accord.events import Reporter
from accord.seam.stores import Store, by_store
from accord.words import counted
from migrator.engine.events import RunNoted
from migrator.engine.live import LiveDifference, LiveLook, look_live
from migrator.engine.live_settings import LiveSettings
from migrator.engine.plan import Plan, Target
from migrator.engine.request import Request
from migrator.engine.situation import Situation
from migrator.errors import LiveStoresDiffer
from migrator.governance.policy import Reaction

_SHOWN = 3
_HINT = (
    "All of it, and what to do about it: migrate_all --check-live. "
    'To start nevertheless: "live_drift": "warn" in the policy.'
)


def refuse_drifted(
    stores: Mapping[str, Store],
    request: Request,
    plan: Plan,
    situation: Situation,
    policy: Reaction,
    report: Reporter,
    settings: LiveSettings,
) -> None:
    """
    Check that the stores of a plan are as their applied steps describe, before its first step.

    A store with a step that is half done is left out, and that is told: what the step has left would look
    like drift, and only a run can end it.

    Args:
        stores: The stores by alias.
        request: What is wanted; what acts on ledgers alone meets no live store.
        plan: The plan; other stores than those of its steps are not asked.
        situation: Files and ledgers.
        policy: What the environment does about it.
        report: Told of what could not be asked, and of differences where the environment only warns.
        settings: What is ignored.

    Raises:
        LiveStoresDiffer: Something differs, and the environment refuses it.
        StoreUnavailable: A store can't be reached.
    """
    aliases = tuple(by_store(plan.steps))
    if policy is Reaction.OFF or not request.meets_data or not aliases:
        return
    halfway = {key.store for key in (*situation.begun, *situation.half_reverted)}.intersection(aliases)
    whole = tuple(alias for alias in aliases if alias not in halfway)
    found = _looked(stores, situation, whole, settings)
    for alias in sorted({*halfway, *(found.unasked if found else ())}):
        why = "a step of it is half done" if alias in halfway else "it can't be asked"
        report(RunNoted(note=f"Not looked for live drift in “{alias}”: {why}."))
    if found is None or not found.differences:
        return
    if policy is Reaction.REFUSE:
        raise _error(found.differences)
    for one in found.differences:
        report(RunNoted(note=f"Live drift in “{one.store}”: {one.difference.text}"))


def _looked(
    stores: Mapping[str, Store], situation: Situation, aliases: tuple[str, ...], settings: LiveSettings
) -> LiveLook | None:
    target = Target(stores=aliases)
    return look_live(stores, situation, target, settings, with_undeclared=False) if aliases else None


def _error(found: Sequence[LiveDifference]) -> LiveStoresDiffer:
    more = len(found) - _SHOWN
    lines = [f"{one.store}: {one.difference.text}" for one in found[:_SHOWN]]
    lines += [f"And {more} more."] if more > 0 else []
    return LiveStoresDiffer(
        f"The live stores are not as their applied steps describe ({counted(len(found), 'difference')}), "
        f"and nothing was started. {' '.join(lines)}",
        hint=_HINT,
    )
