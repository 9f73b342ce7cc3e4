"""Squashed steps and those that they replace: which of them take part, and which count as applied. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from accord.seam.types import Step, StepKey


def with_replacements(steps: Iterable[Step], applied: Collection[StepKey]) -> frozenset[StepKey]:
    """
    Return the keys that count as applied, by Django's rule.

    A squashed step that still says what it replaces counts once all of that does, and only then:
    a row of its own says nothing, because it stays behind when one of its parts is undone.

    Args:
        steps: Every step on disk.
        applied: Keys in the ledgers.
    """
    squashed = {step.key: step.replaces for step in steps if step.replaces}
    counted = frozenset(applied).difference(squashed)
    waiting = dict(squashed)
    while complete := {key for key, parts in waiting.items() if counted.issuperset(parts)}:
        counted |= complete
        waiting = {key: parts for key, parts in waiting.items() if key not in complete}
    return counted


def choose(
    steps: Sequence[Step], applied: Collection[StepKey], unfolded: Collection[StepKey] = ()
) -> tuple[Mapping[StepKey, Step], Mapping[StepKey, frozenset[StepKey]]]:
    """
    Decide between squashed steps and the ones that they replace.

    A squashed step takes part when all or none of what it replaces is applied; otherwise the
    replaced ones go on one by one, as in Django's loader.

    Args:
        steps: Every step on disk.
        applied: Keys in the ledgers.
        unfolded: Squashed steps that step aside for their parts whatever is applied.

    Returns:
        The steps that take part, and for each one left out the steps that stand for it.
    """
    counted = with_replacements(steps, applied)
    active = {step.key: step for step in steps}
    renamed: dict[StepKey, frozenset[StepKey]] = {}
    for step in steps:
        if not step.replaces:
            continue
        done = [key in counted for key in step.replaces]
        if step.key not in unfolded and (all(done) or not any(done)):
            for key in step.replaces:
                if active.pop(key, None) is not None or key not in renamed:
                    renamed[key] = frozenset({step.key})
        elif active.pop(step.key, None) is not None:
            renamed[step.key] = frozenset(key for key in step.replaces if key in active)
    return _adopt_dependencies(active, steps), renamed


def foldable(steps: Iterable[Step]) -> Sequence[Step]:
    """Return the squashed steps whose parts are all on disk, so that they can be told apart again."""
    on_disk = {step.key: step for step in steps}
    return [
        step for step in on_disk.values() if step.replaces and all(key in on_disk for key in step.replaces)
    ]


def _adopt_dependencies(active: Mapping[StepKey, Step], steps: Sequence[Step]) -> dict[StepKey, Step]:
    """Add to a squashed step what the steps that it replaces need from outside."""
    everything = {step.key: step for step in steps}
    adopted = dict(active)
    for key, step in active.items():
        if step.replaces:
            inside = {key, *step.replaces}
            inherited = [
                dependency
                for replaced in step.replaces
                if replaced in everything
                for dependency in everything[replaced].dependencies
                if dependency not in inside
            ]
            adopted[key] = replace(step, dependencies=(*step.dependencies, *inherited))
    return adopted
