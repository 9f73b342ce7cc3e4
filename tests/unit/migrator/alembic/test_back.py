"""Going back to a revision undoes what `alembic downgrade` undoes."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path

from alembic.script.revision import Revision, RevisionMap

from accord.seam.types import Source, Step, StepKey
from migrator.alembic.history import History, build
from migrator.alembic.scripts import Script
from migrator.engine.graph import Graph, build_graph
from migrator.engine.plan import Target, plan_revert
from tests.chance import chance, moments


def random_scripts(dice: random.Random) -> list[Script]:
    """Make bases, branches, merges and dependencies between branches."""
    made: list[Script] = []
    for number in range(dice.randint(3, 14)):
        known = [script.revision for script in made]
        down = dice.sample(known, min(len(known), dice.choice((0, 1, 1, 1, 2))))
        others = [name for name in known if name not in down]
        needs = dice.sample(others, min(len(others), dice.choice((0, 0, 0, 1))))
        name = f"r{number:02}"
        made.append(
            Script(path=Path(name), revision=name, down_revisions=tuple(down), depends_on=tuple(needs))
        )
    return made


def graph_of(history: History) -> Graph:
    def key(name: str) -> StepKey:
        return StepKey("alembic", "app", name)

    return build_graph(
        Step(
            key=key(name),
            source=Source(script.path, b""),
            dependencies=tuple(map(key, history.parents[name])),
            follows=tuple(map(key, history.follows[name])),
        )
        for name, script in history.scripts.items()
    )


def test_back_to_a_revision_undoes_what_alembic_undoes() -> None:
    """Siblings stay, what was merged from elsewhere stays, and so does what only depends on the revision."""
    dice = chance("alembic back")
    for _ in range(moments(5_000, 150)):
        scripts = random_scripts(dice)
        target = dice.choice(scripts).revision
        history, map_ = build(scripts), RevisionMap(partial(map, as_alembic, scripts))
        theirs = {
            found.revision for found in map_.iterate_revisions(map_.heads, target, select_for_downgrade=True)
        }
        applied = [StepKey("alembic", "app", name) for name in history.scripts]

        ours = plan_revert(graph_of(history), applied, Target(to=f"alembic:app.{target}"))

        assert {step.key.name for step in ours.steps} == theirs, scripts


def as_alembic(script: Script) -> Revision:
    return Revision(script.revision, script.down_revisions or None, dependencies=script.depends_on or None)
