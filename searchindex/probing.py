"""Looking whether the effects of steps are there, whoever brought them about (for `--baseline`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from accord.types import Presence, Probe, StepKey
from searchindex.operations.base import Context, Expected, Finding
from searchindex.operations.index import index_differences, is_index
from searchindex.operations.template import live_template, template_differences
from searchindex.transport import at

Touched = Sequence[tuple[str, str]]


def judge(context: Context, key: StepKey, touched: Touched, expected: Expected) -> Probe:
    """
    Compare what a step touches with what should stand after all the steps.

    Args:
        context: Connection and names.
        key: The step.
        touched: Keys of the objects that its operations touch.
        expected: What should stand.
    """
    if not touched:
        return Probe(key=key, presence=Presence.UNKNOWN, findings=("Python code leaves nothing to look at.",))
    found = [(item, find(context, item, expected.objects[item])) for item in dict.fromkeys(touched)]
    lines = tuple(_lines(found, expected))
    return Probe(key=key, presence=_presence(found, expected), findings=lines)


def find(context: Context, item: tuple[str, str], wanted: Any) -> Finding:
    """Look for one object."""
    kind, name = item
    look = {"index": _index, "alias": _alias, "template": _template, "physical": _physical}[kind]
    return look(context, name, wanted)


def _presence(found: Sequence[tuple[tuple[str, str], Finding]], expected: Expected) -> Presence:
    right = [_right(finding, expected.objects[item]) for item, finding in found]
    if all(right):
        return Presence.DONE
    if any(finding.there and not _right(finding, expected.objects[item]) for item, finding in found):
        return Presence.CONFLICTING
    return Presence.PARTIAL if any(right) else Presence.ABSENT


def _right(finding: Finding, wanted: Any) -> bool:
    return not finding.there if wanted is None else finding.there and not finding.differences


def _lines(found: Sequence[tuple[tuple[str, str], Finding]], expected: Expected) -> Iterator[str]:
    for (kind, name), finding in found:
        wanted = expected.objects[kind, name]
        if wanted is None and finding.there:
            yield f"{kind} {name} should be gone"
        elif wanted is not None and not finding.there:
            yield f"{kind} {name} is missing"
        elif wanted is not None:
            yield from (f"{kind} {name}: {line}" for line in finding.differences)


def _index(context: Context, name: str, wanted: Any) -> Finding:
    alias = context.around.alias(name)
    targets = sorted(context.aliases.targets(alias))
    if not targets:
        named = is_index(context, alias)
        return Finding(there=named, differences=["is an index, and no alias with an index behind it"])
    if wanted is None or len(targets) > 1:
        return Finding(there=True, differences=[f"{len(targets)} indexes behind the alias"])
    live = context.index(targets[0]) or {}
    declared = wanted.get("mappings", {}), wanted.get("settings", {})
    return Finding(there=True, differences=index_differences(context, name, *declared, live))


def _alias(context: Context, name: str, wanted: Any) -> Finding:
    found = set(context.aliases.targets(context.around.alias(name)))
    if not found or wanted is None:
        return Finding(there=bool(found))
    names = {index for to in wanted for index in context.aliases.targets(context.around.alias(to))}
    missing = sorted(names - found)
    return Finding(there=True, differences=[f"does not point at {index}" for index in missing])


def _template(context: Context, name: str, wanted: Any) -> Finding:
    live = live_template(context, name)
    if live is None or wanted is None:
        return Finding(there=live is not None)
    return Finding(there=True, differences=template_differences(wanted, live))


def _physical(context: Context, name: str, _: Any) -> Finding:
    return Finding(there=context.wire.find(f"{at(name)}?filter_path=*.aliases") is not None)
