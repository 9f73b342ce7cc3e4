"""What revisions would send, from Alembic's offline mode: nothing connects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory

from accord.errors import AccordError
from accord.seam.types import Direction, Language, Statement, Step
from migrator.alembic.environment import HistoryEnvironment
from migrator.alembic.history import History
from migrator.foretelling.ddl import built_beside_writers


@dataclass(kw_only=True)
class Rendering:
    """
    A visitor for the offline mode: one revision, with someone who listens.

    Attributes:
        revision: Id.
        direction: Which way it goes.
        directory: Alembic's view of the files.
        tune: Prepares the context, so that what comes is heard.
        started: Called before and after the revision's own operations, with True and False.
    """

    revision: str
    direction: Direction
    directory: ScriptDirectory
    tune: Callable[[MigrationContext], None]
    started: Callable[[bool], None] = field(default=lambda _: None)

    def begin(self, context: MigrationContext) -> None:
        """Start to listen."""
        self.tune(context)

    def steps(self, heads: Sequence[str], context: MigrationContext) -> Iterator[RevisionStep]:
        """Yield the one revision."""
        script = self.directory.get_revision(self.revision)
        step = RevisionStep(self.directory.revision_map, script, self.direction is Direction.APPLY)
        act = step.migration_fn

        def announced(**kw: Any) -> None:
            self.started(True)
            act(**kw)
            self.started(False)

        announced.__name__ = act.__name__
        step.migration_fn = announced
        yield step


def explain(
    environment: HistoryEnvironment, history: History, steps: Sequence[Step], direction: Direction
) -> Iterator[tuple[Step, Sequence[Statement]]]:
    """
    Render steps one after the other.

    Args:
        environment: The history's environment.
        history: All revisions.
        steps: What is to be rendered, in the order in which it would run.
        direction: Which way.

    Returns:
        Each step with its statements; one that can't be rendered says why.
    """
    for step, heads in walk(history, steps, direction):
        yield step, _statements(environment, history, step, direction, heads)


def walk(
    history: History, steps: Sequence[Step], direction: Direction
) -> Iterator[tuple[Step, tuple[str, ...]]]:
    """
    Yield each step with the heads that would stand in Alembic's table before it.

    What the steps don't hold themselves counts as applied as far as they need it.
    """
    names = [step.key.name for step in steps]
    applied = set(history.implied(names))
    if direction is Direction.APPLY:
        applied.difference_update(names)
    for step in steps:
        yield step, history.heads_of(applied)
        (applied.add if direction is Direction.APPLY else applied.discard)(step.key.name)


def _statements(
    environment: HistoryEnvironment, history: History, step: Step, direction: Direction, heads: Sequence[str]
) -> Sequence[Statement]:
    heard: list[str] = []

    def listen(context: MigrationContext) -> None:
        # Statement by statement: cutting the text afterwards would cut function bodies too.
        context.impl.static_output = heard.append  # type: ignore[method-assign,assignment]  # it writes by this alone

    visitor = Rendering(
        revision=step.key.name, direction=direction, directory=environment.directory(history), tune=listen
    )
    try:
        environment.render(visitor, heads, what=str(step.key))
    except AccordError as exc:
        return [*_as_sql(heard), _opaque(exc)]
    return _as_sql(heard)


def _as_sql(heard: Sequence[str]) -> list[Statement]:
    texts = [text for text in heard if text and not text.startswith("-- Running")]
    # The transaction around the whole goes without saying; one inside (autocommit_block) stays.
    if texts[-1:] == ["COMMIT;"]:
        texts = texts[:-1]
    return [Statement(text=text, language=Language.SQL) for text in texts]


def _opaque(error: AccordError) -> Statement:
    return Statement(
        text=f"What follows can't be shown without a database: {error.message}",
        language=Language.PYTHON,
        opaque=True,
    )


def indexes_by_sql(environment: HistoryEnvironment, history: History, step: Step) -> Sequence[str]:
    """
    Name the indexes that a revision builds with `CONCURRENTLY`, SQL of its own included.

    Args:
        environment: Runs env.py.
        history: The revisions.
        step: The revision.

    Returns:
        Their names as SQL writes them, in the schema of their tables.
    """
    found = [
        act
        for _, statements in explain(environment, history, [step], Direction.APPLY)
        for statement in statements
        if not statement.opaque
        for act in built_beside_writers(statement.text)
    ]
    return [f"{schema}{dot}{act.name}" for act in found for schema, dot, _ in [act.table.rpartition(".")]]
