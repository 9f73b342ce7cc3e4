"""Tells the stores of a plan which of its steps they may send in parts: by policy, and by a person's word."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from accord import conf
from accord.errors import UnknownTarget, UsageError
from accord.seam.rewriting import Rewrites, Rewriting
from accord.seam.stores import Store
from accord.seam.types import StepKey
from migrator.engine.request import Request
from migrator.engine.situation import Situation
from migrator.governance import policy
from migrator.governance.work import words_in


def settle(
    request: Request, situation: Situation, stores: Mapping[str, Store], settings: conf.AccordSettings
) -> None:
    """
    Tell the stores how far they may go.

    Args:
        request: What is wanted; it may name steps that are sent as they stand.
        situation: What files and ledgers hold.
        stores: The stores by alias.
        settings: Settings of the suite.

    Raises:
        UnknownTarget: A step that is named isn't one.
        UsageError: It belongs to a store that sends nothing in parts, or there is no reason.
        ConfigurationError: The policy can't be read.
    """
    plainly = {_key(text, situation, stores): request.reason for text in request.unsafe_ddl}
    _tell(stores, settings, plainly)


def settle_asked(target: str, stores: Mapping[str, Store], settings: conf.AccordSettings) -> None:
    """
    Tell the stores how far a run may go whose approval is asked for; what it means by no step is left out.

    Args:
        target: The flags that it is asked for with.
        stores: The stores by alias.
        settings: Settings of the suite.
    """
    plainly: dict[StepKey, str] = {}
    for word in words_in(target):
        with suppress(UnknownTarget):
            plainly[StepKey.parse(word.partition("=")[2])] = ""
    _tell(stores, settings, plainly)


def _tell(stores: Mapping[str, Store], settings: conf.AccordSettings, plainly: Mapping[StepKey, str]) -> None:
    extent = policy.load(settings).of(settings.environment).rewriting
    for store in stores.values():
        if isinstance(store, Rewrites):
            store.settle(Rewriting(extent=extent, plainly=plainly))


def _key(text: str, situation: Situation, stores: Mapping[str, Store]) -> StepKey:
    key = StepKey.parse(text)
    if key not in situation.graph.steps:
        raise UnknownTarget(
            f"No step is called “{text}”.",
            hint="Write it whole, as store:app.name; --plan lists what is pending.",
        )
    if not isinstance(stores[key.store], Rewrites):
        raise UsageError(
            f"{key} is sent as it stands anyway: the store “{key.store}” sends nothing in parts.",
            hint="Leave --unsafe-ddl out.",
        )
    return key
