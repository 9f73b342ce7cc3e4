"""Looking whether the effects of steps are there, whoever brought them about (for `--baseline`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from accord.revisions import expectation
from accord.revisions.expectation import Judgement
from accord.seam.types import Presence, Probe, StepKey
from searchindex.context import Context
from searchindex.operations.base import Expected
from searchindex.operations.index import index_differences, is_index
from searchindex.operations.template import live_template, template_differences
from searchindex.transport import at

Touched = Sequence[tuple[str, str]]
Differences = Sequence[str] | None
"""How something that is there differs from what is expected; None when it is not there."""


def judge(
    context: Context, key: StepKey, touched: Touched, expected: Expected, unproved: Iterable[str] = ()
) -> Probe:
    """
    Compare what a step touches with what should stand after all the steps.

    Args:
        context: Connection and names.
        key: The step.
        touched: Keys of the objects that its operations touch.
        expected: What should stand.
        unproved: What its other operations do, which touch nothing that could be looked at.
    """
    if not touched:
        return expectation.unknown(key, "Python code leaves nothing to look at.")
    items = dict.fromkeys(touched)
    found = [_find(context, item, expected.objects[item]) for item in items]
    return expectation.judge(key, found, unproved)


def _find(context: Context, item: tuple[str, str], wanted: Any) -> Judgement:
    """Look for one object."""
    kind, name = item
    look = {"index": _index, "alias": _alias, "template": _template, "physical": _physical}[kind]
    return _finding(f"{kind} {name}", look(context, name, wanted), gone=wanted is None)


def _finding(what: str, found: Differences, *, gone: bool) -> Judgement:
    if found is None:
        if gone:
            return expectation.GONE
        return expectation.missing(f"{what} is missing")
    if gone:
        return expectation.left(f"{what} should be gone", Presence.CONFLICTING)
    return expectation.compared(f"{what}: {line}" for line in found)


def _index(context: Context, name: str, wanted: Any) -> Differences:
    alias = context.deployment.alias(name)
    targets = sorted(context.aliases.targets(alias))
    if not targets:
        named = is_index(context, alias)
        plain = "is an index, and no alias with an index behind it (the operation AdoptIndex makes it one)"
        return [plain] if named else None
    if wanted is None or len(targets) > 1:
        return [f"{len(targets)} indexes behind the alias"]
    live = context.index(targets[0]) or {}
    declared = wanted.get("mappings", {}), wanted.get("settings", {})
    return index_differences(context, *declared, live)


def _alias(context: Context, name: str, wanted: Any) -> Differences:
    found = set(context.aliases.targets(context.deployment.alias(name)))
    if not found:
        return None
    names = {index for to in wanted or () for index in context.aliases.targets(context.deployment.alias(to))}
    return [f"does not point at {index}" for index in sorted(names - found)]


def _template(context: Context, name: str, wanted: Any) -> Differences:
    live = live_template(context, name)
    return None if live is None else template_differences(wanted or {}, live)


def _physical(context: Context, name: str, _: Any) -> Differences:
    return None if context.transport.find(f"{at(name)}?filter_path=*.aliases") is None else ()
