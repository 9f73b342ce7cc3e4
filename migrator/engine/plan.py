"""The plan: frozen, ordered steps for a run, with a digest. Pure; no store is asked here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from accord.errors import IrreversibleStep, UnknownStore, UnknownTarget
from accord.seam.types import Direction, Phase, Step, StepKey
from accord.words import counted
from migrator.engine.graph import Graph
from migrator.errors import AmbiguousTarget, UnknownApp
from migrator.governance.work import bind, digest_of

ZERO = "zero"
_NAMED = 8


@dataclass(frozen=True, kw_only=True)
class Target:
    """
    What a run is asked to reach. Everything empty means: everything, newest.

    Attributes:
        stores: Only steps of these stores, and what they need.
        app: Only steps of this app, and what they need.
        to: A step `store:app.name` (a prefix of the name is enough), `app.name` with a
            prefix, or `zero`.
        phase: Only steps of this phase; those behind a step of another phase wait.
        step: A single step to revert.
        run_id: Revert what this run applied.
        tag: Revert what was applied after this tag.
    """

    stores: tuple[str, ...] = ()
    app: str = ""
    to: str = ""
    phase: Phase | None = None
    step: str = ""
    run_id: str = ""
    tag: str = ""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """
    Steps in the order in which they will run.

    Attributes:
        direction: Whether they are applied or reverted.
        steps: The steps.
        parents: For each step the steps *of this plan* that must have gone before it.
        waiting: Steps that are pending and stay out because of the phase.
        stuck: Those of them that are of the phase that was asked for, behind a step of another one.
        left: Those of the steps of which a revert takes the line out alone: their effect was found there.
        words: What has to be agreed to beside the steps, as flags.
    """

    direction: Direction
    steps: tuple[Step, ...]
    parents: Mapping[StepKey, frozenset[StepKey]]
    waiting: tuple[Step, ...] = ()
    stuck: tuple[Step, ...] = ()
    left: frozenset[StepKey] = frozenset()
    words: tuple[str, ...] = ()

    @cached_property
    def digest(self) -> str:
        """SHA-256 over direction, steps (order, identity, checksum) and words: what an approval binds."""
        return digest_of(self.direction.value, [bind(step) for step in self.steps], self.words)

    def __len__(self) -> int:
        return len(self.steps)


def plan_forward(
    graph: Graph, applied: Collection[StepKey], target: Target, *, with_own: bool = False
) -> Plan:
    """
    Plan what is to be applied to reach a target.

    Args:
        graph: All steps.
        applied: Keys of those that are applied.
        target: What to reach.
        with_own: Take the suite's own tables along even if nothing else is pending.

    Returns:
        The pending steps up to the target, in order.

    Raises:
        UnknownApp, UnknownTarget, AmbiguousTarget, UnknownStore: The target matches nothing, or too much.
        CyclicDependency: Steps need each other in a circle.
    """
    wanted = graph.ancestors(_wanted(graph, target))
    if with_own or not wanted <= frozenset(applied):
        # Whatever runs is written down in the suite's own tables.
        wanted |= graph.ancestors(key for key, step in graph.steps.items() if step.foundation)
    pending = [key for key in graph.order() if key in wanted and key not in applied]
    chosen, waiting = _split_by_phase(graph, pending, target.phase)
    stuck = tuple(graph.steps[key] for key in waiting if graph.steps[key].phase is target.phase)
    return replace(_plan(graph, Direction.APPLY, chosen, waiting), stuck=stuck)


def plan_revert(
    graph: Graph,
    applied: Collection[StepKey],
    target: Target,
    applied_by_run: Collection[StepKey] = (),
    begun: Collection[StepKey] = (),
    found: Collection[StepKey] = frozenset(),
) -> Plan:
    """
    Plan what is to be reverted to get back to a target, newest first.

    Args:
        graph: All steps.
        applied: Keys of those that are applied, half applied ones among them.
        target: `to` names the step that stays as the newest; `step`, `app`, `stores` or
            `run_id` name what goes.
        applied_by_run: The steps that the target's run applied.
        begun: Those of which only a part stands. Whether that can be undone, only the store knows.
        found: Those whose effect was found there: it stays, so that nothing keeps them from leaving.

    Raises:
        IrreversibleStep: Steps in the way can't be undone, and the message names them all; or what was
            found stands on what one of them made.
        UnknownApp, UnknownTarget, AmbiguousTarget, UnknownStore: As for :func:`plan_forward`.
    """
    leaving = graph.descendants(_leaving(graph, target, applied_by_run))
    ordered = [key for key in reversed(graph.order()) if key in leaving and key in applied]
    undone = [key for key in ordered if key not in found]
    _refuse_irreversible([graph.steps[key] for key in undone if key not in begun])
    left = frozenset(ordered) - frozenset(undone)
    _refuse_undermining(graph, undone, left)
    return replace(_plan(graph, Direction.REVERT, ordered, []), left=left)


def _plan(graph: Graph, direction: Direction, keys: Sequence[StepKey], waiting: Sequence[StepKey]) -> Plan:
    edges = graph.parents if direction is Direction.APPLY else graph.children
    inside = frozenset(keys)
    return Plan(
        direction=direction,
        steps=tuple(graph.steps[key] for key in keys),
        parents={key: edges[key] & inside for key in keys},
        waiting=tuple(graph.steps[key] for key in waiting),
    )


def _split_by_phase(
    graph: Graph, pending: Sequence[StepKey], phase: Phase | None
) -> tuple[list[StepKey], list[StepKey]]:
    """Keep the steps of a phase that no pending step of another phase stands before."""
    if phase is None:
        return list(pending), []
    chosen: list[StepKey] = []
    waiting: set[StepKey] = set()
    for key in pending:
        if graph.steps[key].phase is phase and not (graph.parents[key] & waiting):
            chosen.append(key)
        else:
            waiting.add(key)
    return chosen, [key for key in pending if key in waiting]


def _wanted(graph: Graph, target: Target) -> Iterable[StepKey]:
    if target.to and target.to != ZERO:
        return [find_step(graph, target.to, target)]
    return _within(graph, target)


def _within(graph: Graph, target: Target) -> Sequence[StepKey]:
    """Return the steps of the target's stores and app."""
    known_stores = {key.store for key in graph.steps} | set(graph.ranks)
    for store in target.stores:
        if store not in known_stores:
            raise UnknownStore(
                f"There is no store “{store}”.", hint=f"Stores: {', '.join(sorted(known_stores))}."
            )
    found = [key for key in graph.steps if not target.stores or key.store in target.stores]
    if not target.app:
        return found
    of_app = [key for key in found if key.app == target.app]
    if not of_app:
        raise _unknown_app(target, found)
    return of_app


def _unknown_app(target: Target, keys: Iterable[StepKey]) -> UnknownApp:
    where = f" in {', '.join(target.stores)}" if target.stores else ""
    apps = ", ".join(sorted({key.app for key in keys})) or "none"
    return UnknownApp(f"No app “{target.app}” has steps{where}.", hint=f"Apps with steps: {apps}.")


def _leaving(graph: Graph, target: Target, applied_by_run: Collection[StepKey]) -> Iterable[StepKey]:
    if target.run_id or target.tag:
        return [key for key in applied_by_run if key in graph]
    if target.step:
        return [find_step(graph, target.step, target)]
    if target.to and target.to != ZERO:
        # As Django and Alembic do: a sibling stays, and so does what needs only the step that stays.
        return graph.followers(find_step(graph, target.to, target))
    return _within(graph, target)


def refuse_unknown(graph: Graph, target: Target) -> None:
    """
    Check that a target names what is there, whatever would become of it.

    Args:
        graph: All steps.
        target: What to reach, or what is to go.

    Raises:
        UnknownApp, UnknownTarget, AmbiguousTarget, UnknownStore: As for :func:`plan_forward`.
    """
    for text in filter(None, (target.step, target.to)):
        if text != ZERO:
            find_step(graph, text, target)
    _within(graph, target)


def find_step(graph: Graph, text: str, target: Target | None = None) -> StepKey:
    """
    Find the one step that a text means.

    Args:
        graph: All steps.
        text: `store:app.name`, `app.name` or, with an app in the target, `name`; the name
            may be cut short as long as it stays unique.
        target: Gives the stores and the app where the text leaves them out.

    Raises:
        UnknownTarget: No step matches.
        AmbiguousTarget: Several match.
    """
    target = target or Target()
    store, colon, rest = text.rpartition(":")
    app, dot, name = rest.partition(".")
    if not dot:
        app, name = target.app, rest
    stores = (store,) if colon else target.stores
    candidates = [
        key
        for key in sorted(graph.steps)
        if (not stores or key.store in stores) and key.app == app and key.name.startswith(name)
    ]
    exact = [key for key in candidates if key.name == name]
    return _the_only_one(text, exact or candidates)


def names_step(graph: Graph, text: str, target: Target) -> bool:
    """Return whether a text means a step of the graph, or several; see :func:`find_step`."""
    try:
        find_step(graph, text, target)
    except UnknownTarget:
        return False
    except AmbiguousTarget:
        return True
    return True


def _the_only_one(text: str, keys: Sequence[StepKey]) -> StepKey:
    if not keys:
        raise UnknownTarget(
            f"No step matches “{text}”.", hint="Write it as store:app.name; showmigrations_all lists them."
        )
    if len(keys) > 1:
        raise AmbiguousTarget(
            f"“{text}” matches {len(keys)} steps{_first(keys)}.", hint="Write more of the name."
        )
    return keys[0]


def _first(keys: Sequence[StepKey]) -> str:
    """Name steps, so many that a person reads them, and say so where there are more."""
    named = ", ".join(str(key) for key in keys[:_NAMED])
    return f": {named}" if len(keys) <= _NAMED else f", the first {_NAMED} of them: {named}"


def _refuse_undermining(graph: Graph, undone: Sequence[StepKey], left: frozenset[StepKey]) -> None:
    """Check that nothing goes on which what was found stands: a table takes a found column along."""
    needed = graph.ancestors(left) if left else frozenset()
    for key in undone:
        above = graph.descendants([key]) & left if key in needed else ()
        for found in sorted(other for other in above if other.store == key.store):
            raise IrreversibleStep(
                f"{key} can't be undone: {found} stands on it, which was found there and not made by a run, "
                "and would go with it.",
                hint=f"If it may go, take its line out first: migrate_all --revert --step {found}",
            )


def _refuse_irreversible(steps: Iterable[Step]) -> None:
    stuck = [step for step in steps if step.irreversible]
    if stuck:
        reasons = "; ".join(f"{step.key} ({step.irreversible})" for step in stuck)
        raise IrreversibleStep(
            f"{counted(len(stuck), 'step')} on the way can't be undone: {reasons}.",
            hint="Go back to a target after them with --to, or write a new revision that moves forward.",
        )
