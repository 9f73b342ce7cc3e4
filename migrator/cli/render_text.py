"""Answers as text, in the manner of Django's own commands."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from django.core.management.color import Style

from accord.seam.foretelling import NOTHING, Foretold
from accord.seam.losses import Loss
from accord.seam.types import Direction, Origin, Statement, Step, StepKey
from accord.words import counted
from migrator.cli.render_foretold import foretold_lines
from migrator.cli.render_losses import losses_lines, lost_lines
from migrator.engine.plan import Plan
from migrator.engine.request import RunReport
from migrator.engine.situation import Situation
from migrator.models import RunKind

_VERBS = {Direction.APPLY: ("to apply", "Applied"), Direction.REVERT: ("to revert", "Reverted")}


def plan_lines(
    plan: Plan, situation: Situation, style: Style, kind: RunKind = RunKind.APPLY
) -> Iterator[str]:
    """Show the steps of a plan in order, and where a step that was begun goes on."""
    if not plan.steps:
        yield "Nothing to do."
    else:
        what = "to forget" if kind is RunKind.FORGET else _VERBS[plan.direction][0]
        yield style.MIGRATE_HEADING(f"{counted(len(plan), 'step')} {what}:")
        width = len(str(len(plan)))
        longest = min(max(len(str(step.key)) for step in plan.steps), 60)
        for position, step in enumerate(plan.steps, start=1):
            key = style.MIGRATE_LABEL(f"{step.key!s:<{longest}}")
            line = f"  {position:>{width}}. {key}  {step.phase.value:<8}  {step.title}".rstrip()
            yield f"{line}{_going_on(plan, situation, step)}{_origin(situation, step)}{_staying(plan, step)}"
            if step.waits and plan.direction is Direction.APPLY:
                yield f"  {' ' * width}  locks: {step.waits}"
        yield f"Plan digest {plan.digest}"
    yield from waiting_lines(plan)


def _staying(plan: Plan, step: Step) -> str:
    return "  (stays; its line goes)" if step.key in plan.left else ""


def _going_on(plan: Plan, situation: Situation, step: Step) -> str:
    begun = situation.begun.get(step.key)
    if begun is None or step.key in situation.half_reverted:
        return ""
    if plan.direction is Direction.REVERT:
        return f"  (begun: {counted(begun.done, 'operation')} to undo)"
    return f"  (goes on after {counted(begun.done, 'operation')})"


def waiting_lines(plan: Plan) -> Iterator[str]:
    """Name what stays out because of the phase."""
    if plan.waiting:
        yield f"{counted(len(plan.waiting), 'step')} of other phases, or behind one, stay for later:"
        for step in plan.waiting:
            behind = "  (behind a step of another phase)" if step in plan.stuck else ""
            yield f"  {step.key}  {step.phase.value}{behind}"


def dry_run_lines(
    plan: Plan,
    rendered: Iterable[tuple[Step, Sequence[Statement]]],
    style: Style,
    foretold: Mapping[StepKey, Sequence[Foretold]] = NOTHING,
    losses: Sequence[Loss] | None = (),
) -> Iterator[str]:
    """Show what each step would send, what its server would say to it, and what would be lost."""
    if not plan.steps:
        yield "Nothing to do."
    for step, statements in rendered:
        yield style.MIGRATE_HEADING(f"-- {step.key}: {step.title}")
        for statement in statements:
            text = style.WARNING(f"({statement.text})") if statement.opaque else statement.text
            yield textwrap.indent(text, "   ")
        if not statements:
            yield "   (sends nothing)"
        yield from foretold_lines(foretold.get(step.key, ()), style)
        yield from lost_lines([loss for loss in losses or () if loss.key == step.key], style)
    if losses is None:
        yield from losses_lines(None, style)


def run_lines(report: RunReport, style: Style) -> Iterator[str]:
    """Sum a run up."""
    execution = report.execution
    if not report.plan.steps and report.error is None:
        yield style.SUCCESS(_nothing(report.plan))
    if execution.outcomes:
        yield style.SUCCESS(_done(report))
    for failure in execution.failures:
        yield style.ERROR(f"{failure.step.key} failed: {failure.error}")
        if failure.error.hint:
            yield f"  {failure.error.hint}"
    if execution.skipped:
        verb = "needs" if len(execution.skipped) == 1 else "need"
        yield f"{counted(len(execution.skipped), 'step')} that {verb} it did not run:"
        yield from (f"  {step.key}" for step in execution.skipped)
    yield from waiting_lines(report.plan)


def _nothing(plan: Plan) -> str:
    if plan.direction is Direction.REVERT:
        return "Nothing to undo."
    return "Nothing to do." if plan.waiting else "Nothing to do: everything is applied."


def _done(report: RunReport) -> str:
    per_store = Counter(outcome.key.store for outcome in report.execution.outcomes)
    where = ", ".join(f"{store} {count}" for store, count in per_store.items())
    total = counted(len(report.execution.outcomes), "step")
    verb = "Forgot" if report.kind is RunKind.FORGET else _VERBS[report.plan.direction][1]
    return f"{verb} {total} in {report.seconds:.1f} s ({where}). Run {report.run_id}"


def list_lines(situation: Situation, steps: Sequence[Step], style: Style) -> Iterator[str]:
    """List steps by store and app: a cross for each that is applied, half a one for one that is half so."""
    for store, of_store in groupby(steps, key=lambda step: step.key.store):
        yield style.MIGRATE_HEADING(store)
        for app, of_app in groupby(of_store, key=lambda step: step.key.app):
            yield style.MIGRATE_LABEL(f"  {app}")
            for step in of_app:
                yield f"   [{_mark(situation, step)}] {step.key.name}{_phase(step)}{_origin(situation, step)}"


def tree_lines(situation: Situation, steps: Sequence[Step], style: Style) -> Iterator[str]:
    """List steps in the order of a plan, each with what it needs outside its own app and store."""
    for step in steps:
        more = f"{_phase(step)}{_origin(situation, step)}"
        yield f"[{_mark(situation, step)}] {style.MIGRATE_LABEL(str(step.key))}{more}"
        foreign = [
            parent
            for parent in sorted(situation.graph.parents.get(step.key, ()))
            if (parent.store, parent.app) != (step.key.store, step.key.app)
        ]
        for position, parent in enumerate(foreign, start=1):
            branch = "└─" if position == len(foreign) else "├─"
            yield f"     {branch} needs {parent}"


def _mark(situation: Situation, step: Step) -> str:
    if step.key in situation.begun or step.key in situation.half_reverted:
        return "/"
    return "X" if step.key in situation.done else " "


def _phase(step: Step) -> str:
    return "" if step.phase == "expand" else f"  ({step.phase.value})"


def _origin(situation: Situation, step: Step) -> str:
    entry = situation.applied.get(step.key)
    return "" if entry is None or entry.how is Origin.APPLIED else f"  ({entry.how.value})"


def begun_lines(situation: Situation, style: Style) -> Iterator[str]:
    """Name the steps that were begun and not ended, each with the ways on."""
    for key in sorted(situation.begun.keys() & situation.on_disk):
        if key in situation.half_reverted:
            yield style.WARNING(f"Half reverted: {key}")
            yield "  Its revert was begun and did not end. migrate_all undoes the rest and applies it again;"
            yield f"  migrate_all --revert --step {key} undoes the rest."
        else:
            yield style.WARNING(f"Begun: {key}")
            yield f"  {situation.begun[key].words}. migrate_all goes on;".replace("  begun", "  Begun", 1)
            yield f"  migrate_all --revert --step {key} undoes what is done."


def drift_lines(situation: Situation, style: Style) -> Iterator[str]:
    """Describe where files and ledgers disagree."""
    for found in situation.drift:
        paint = style.WARNING if found.tolerable else style.ERROR
        yield paint(f"Drift: {found.error}")
        if found.acceptance is None:
            yield f"  {found.error.hint}"
        else:
            # Loaded here: it brings governance, and most runs have no drift to tell of.
            from migrator.cli.render_approvals import accepted_words

            yield f"  {accepted_words(found.acceptance)}"
