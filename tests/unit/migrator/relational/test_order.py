"""A history is seen as Django sees it: what takes part, what counts as applied, in which order."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

import pytest
from django.db.migrations.exceptions import CircularDependencyError
from django.db.migrations.loader import MigrationLoader

from accord.seam.types import StepKey
from migrator.engine.graph import Graph, build_graph
from migrator.engine.plan import Target, plan_revert
from migrator.engine.squashes import with_replacements
from migrator.relational.graph import RecordedLoader, full_order
from migrator.relational.loader import Name
from tests.chance import chance, moments
from tests.unit.migrator.relational.histories import (
    Disk,
    declared,
    django_executor,
    django_says,
    keys,
    random_history,
    random_rows,
    steps_of,
)

EVERY, SAMPLE = 5_000, 150


def cases(
    name: str, rows_of: Callable[[random.Random, Disk], Collection[Name]] = random_rows
) -> Iterator[tuple[random.Random, Disk, Collection[Name], MigrationLoader]]:
    """Draw histories with rows that Django can read."""
    dice = chance(name)
    for number in range(moments(EVERY, SAMPLE)):
        print(f"history {number}")  # noqa: T201 - a failing history must be found again
        disk = random_history(dice)
        rows = rows_of(dice, disk)
        try:
            django = django_says(disk, rows)
        except CircularDependencyError:  # a squashed migration closed it
            continue
        yield dice, disk, rows, django


def all_rows(_: random.Random, disk: Disk) -> Collection[Name]:
    """Take everything as applied."""
    return frozenset(disk.migrations)


def our_graph(disk: Disk, rows: Collection[Name]) -> Graph:
    """Do what a situation does with the files and the ledger of one database."""
    order = keys(full_order(RecordedLoader(disk, rows).graph))
    graph = build_graph(steps_of(disk), keys(rows), ranks={"default": 0})
    return replace(graph, places={key: place for place, key in enumerate(order)})


def test_steps_go_in_the_order_of_djangos_full_plan() -> None:
    """With run_before, squashes and swappable models, and whatever is applied."""
    for _, disk, rows, django in cases("order"):
        plan = django_executor(django).migration_plan(django.graph.leaf_nodes(), clean_start=True)
        expected = keys([(migration.app_label, migration.name) for migration, _ in plan])

        assert our_graph(disk, rows).order() == expected


def test_same_steps_take_part_and_count_as_applied() -> None:
    """A squashed row counts as Django's loader counts it, among any rows of its parts."""
    for _, disk, rows, django in cases("squashes"):
        steps = steps_of(disk)
        counted = with_replacements(steps, keys(rows))

        assert build_graph(steps, keys(rows)).steps.keys() == set(keys(django.graph.nodes))
        assert counted == set(keys(django.applied_migrations))


def test_back_to_a_step_undoes_what_django_undoes() -> None:
    """`--revert --to X` takes what Django's `migrate app X` takes, and no sibling."""
    for dice, disk, rows, django in cases("back", all_rows):
        target = dice.choice(sorted(django.graph.nodes))
        plan = django_executor(django).migration_plan([target])

        ours = plan_revert(our_graph(disk, rows), keys(rows), Target(to=str(StepKey("default", *target))))

        assert all(backwards for _, backwards in plan)
        assert {step.key for step in ours.steps} == set(
            keys([(migration.app_label, migration.name) for migration, _ in plan])
        )


def test_history_that_works_in_djangos_order_alone() -> None:
    """What one app forgot to declare is given by Django's walk from leaf to leaf."""
    disk = Disk(
        [
            declared(("shop_b", "0001_initial"), dependencies=[("shop_z", "0001_initial")]),
            declared(("shop_c", "0001_initial"), dependencies=[]),
            declared(("shop_z", "0001_initial"), dependencies=[]),
        ]
    )
    order = full_order(RecordedLoader(disk, ()).graph)

    assert [app for app, _ in order] == ["shop_z", "shop_b", "shop_c"]


def test_migrations_in_a_circle_are_django_s_to_find() -> None:
    """The walk never goes round for ever."""
    disk = Disk(
        [
            declared(("auth", "0001"), dependencies=[("books", "0001")]),
            declared(("books", "0001"), dependencies=[("auth", "0001")]),
        ]
    )

    with pytest.raises(CircularDependencyError):
        RecordedLoader(disk, ())
