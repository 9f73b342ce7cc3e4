"""How Django's dependencies become those of steps; no file and no server is read."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import migrations, models
from django.db.migrations import Migration

from migrator.relational.loader import History, Name, irreversible_reason


class Disk:
    """Migrations as if read from disk."""

    def __init__(self, *found: Migration, unmigrated: tuple[str, ...] = ()) -> None:
        self.migrations = {(migration.app_label, migration.name): migration for migration in found}
        self.unmigrated_apps = set(unmigrated)


def migration(app: str, name: str, *dependencies: tuple[str, str], **attributes: Any) -> Migration:
    declared = type("Migration", (Migration,), {"dependencies": dependencies, **attributes})
    return declared(name, app)


def dependencies(disk: Disk, name: Name) -> set[str]:
    step = History(disk).step("default", name)  # type: ignore[arg-type]  # a stand-in that has what is asked
    return {f"{key.app}.{key.name}" for key in step.dependencies}


def test_first_and_latest_are_made_plain() -> None:
    """Another app's `__first__` is its root and its `__latest__` its leaf."""
    disk = Disk(
        migration("auth", "0001"),
        migration("auth", "0002", ("auth", "0001")),
        migration("shop", "0001", ("auth", "__first__")),
        migration("news", "0001", ("auth", "__latest__")),
    )

    assert dependencies(disk, ("shop", "0001")) == {"auth.0001"}
    assert dependencies(disk, ("news", "0001")) == {"auth.0002"}


def test_first_of_an_app_without_migrations_is_dropped() -> None:
    """Django lets a migration wait for an app that has none."""
    disk = Disk(migration("shop", "0001", ("plain", "__first__")), unmigrated=("plain",))

    assert dependencies(disk, ("shop", "0001")) == set()


def test_first_of_an_unknown_app_stays_for_the_planner_to_name() -> None:
    """What nobody provides is the graph's to report, with the file."""
    disk = Disk(migration("shop", "0001", ("gone", "__first__")))

    assert dependencies(disk, ("shop", "0001")) == {"gone.__first__"}


def test_run_before_becomes_a_dependency_of_the_other() -> None:
    """The one that must wait depends on the one that wants to go first."""
    disk = Disk(migration("shop", "0001"), migration("plugin", "0001", run_before=[("shop", "0001")]))

    assert dependencies(disk, ("shop", "0001")) == {"plugin.0001"}
    assert dependencies(disk, ("plugin", "0001")) == set()


def test_database_takes_the_apps_that_its_own_depend_on() -> None:
    """Steps are closed under dependencies, and nothing else comes along."""
    disk = Disk(
        migration("auth", "0001"),
        migration("auth", "0002", ("auth", "0001")),
        migration("shop", "0001", ("auth", "0001")),
        migration("news", "0001"),
    )

    names = History(disk).names_for(["shop"])  # type: ignore[arg-type]  # a stand-in that has what is asked

    assert names == [("auth", "0001"), ("shop", "0001")]


def test_step_carries_what_the_class_declares() -> None:
    """Phase, foreign dependencies, replaced migrations and the title are read from the migration."""
    declared = migration(
        "shop",
        "0002_squashed",
        phase="contract",
        cross_dependencies=[("mongodb", "plays", "0001_plays")],
        replaces=[("shop", "0001"), ("shop", "0002")],
    )

    step = History(Disk(declared)).step("default", ("shop", "0002_squashed"))  # type: ignore[arg-type]  # as above

    assert step.phase == "contract"
    assert [str(key) for key in step.dependencies] == ["mongodb:plays.0001_plays"]
    assert [str(key) for key in step.replaces] == ["default:shop.0001", "default:shop.0002"]


def forward(apps: object, schema_editor: object) -> None:
    """Do nothing."""


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        (migrations.RunPython(forward), "“Raw Python operation” has no reverse."),
        (migrations.RunPython(forward, forward), ""),
        (migrations.RunSQL("SELECT 1"), "“Raw SQL operation” has no reverse."),
        (migrations.AddField("a", "b", models.IntegerField()), ""),
        (
            migrations.SeparateDatabaseAndState(database_operations=[migrations.RunSQL("SELECT 1")]),
            "“Raw SQL operation” has no reverse.",
        ),
    ],
)
def test_operation_without_a_reverse_makes_a_step_irreversible(operation: Any, reason: str) -> None:
    """Django's wrapper claims to be reversible; what it holds decides."""
    assert irreversible_reason([operation]) == reason
