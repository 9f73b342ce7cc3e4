"""Random histories of Django migrations, and what Django itself makes of them; no file and no server."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from unittest.mock import patch

from django.db.migrations import Migration, swappable_dependency
from django.db.migrations import loader as django_loader
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from accord.seam.types import Step, StepKey
from migrator.relational.loader import DiskLoader, History, Name

APPS = ("auth", "books", "cafe", "delta", "echo")
ALIAS = "default"


class Disk(DiskLoader):
    """Migrations as if read from disk, in an order of chance as Django's are."""

    def __init__(self, migrations: Collection[Migration]) -> None:
        self._given = {(migration.app_label, migration.name): migration for migration in migrations}
        super().__init__()

    def load_disk(self) -> None:
        """Take what was given."""
        self.disk_migrations = dict(self._given)
        self.migrated_apps = set(APPS)
        self.unmigrated_apps = {"plain"}


def declared(name: Name, **attributes: Any) -> Migration:
    """Make a migration."""
    return type("Migration", (Migration,), attributes)(name[1], name[0])


def random_history(dice: random.Random) -> Disk:
    """
    Make some apps with chains and merges, and dependencies of every kind that Django has.

    Migrations come into being one after the other and need earlier ones, so that there is no circle
    among them; a squashed one may close one, which is for the caller to notice.
    """
    names: list[Name] = []
    wanted: dict[Name, dict[str, Any]] = {}
    tips: dict[str, list[str]] = {}
    for number in range(dice.randint(6, 24)):
        app = dice.choice(APPS)
        name = (app, f"{number:04}_{dice.choice('xyz')}")
        own = [(app, tip) for tip in tips.get(app, [])]
        foreign = [other for other in names if other[0] != app]
        needs = own + dice.sample(foreign, min(len(foreign), dice.randint(0, 2)))
        if dice.random() < 0.2:
            needs.append(_swappable(dice, app, tips))
        # A dead end is given up by a merge: now and then a migration follows an older one.
        split = bool(own) and len(tips[app]) == 1 and dice.random() < 0.2
        wanted[name] = {"dependencies": needs, "run_before": []}
        if split:
            grand = [parent for parent in wanted[own[0]]["dependencies"] if parent[0] == app]
            wanted[name]["dependencies"] = [*grand, *needs[1:]]
        tips[app] = [*tips[app], name[1]] if split else [name[1]]
        names.append(name)
    _send_ahead(dice, names, wanted)
    migrations = [declared(name, **attributes) for name, attributes in wanted.items()]
    migrations += _squashes(dice, names, wanted)
    dice.shuffle(migrations)
    return Disk(migrations)


def _swappable(dice: random.Random, app: str, tips: Mapping[str, Sequence[str]]) -> Any:
    """Depend on an app's first or newest migration, or on an app that has none."""
    other = dice.choice([found for found in tips if found != app] or ["plain"])
    if dice.random() < 0.5:
        return swappable_dependency(f"{other}.Model")
    return (other, "__latest__") if dice.random() < 0.3 else ("plain", "__first__")


def _send_ahead(dice: random.Random, names: Sequence[Name], wanted: Mapping[Name, dict[str, Any]]) -> None:
    for first, later in zip(names, names[3:], strict=False):
        if first[0] != later[0] and dice.random() < 0.1:
            wanted[first]["run_before"].append(later)


def _squashes(
    dice: random.Random, names: Sequence[Name], wanted: Mapping[Name, dict[str, Any]]
) -> Sequence[Migration]:
    """Squash two or three neighbours of some apps; some later migrations already follow the squashed one."""
    made = []
    for app in APPS:
        chain = [name for name in names if name[0] == app]
        if len(chain) < 3 or dice.random() < 0.4:
            continue
        start = dice.randrange(len(chain) - 1)
        parts = chain[start : start + dice.randint(2, 3)]
        squash = (app, f"{parts[0][1][:4]}_squashed")
        needs = [
            parent for part in parts for parent in wanted[part]["dependencies"] if tuple(parent) not in parts
        ]
        made.append(declared(squash, dependencies=needs, replaces=parts))
        for later in wanted.values():
            if parts[-1] in later["dependencies"] and dice.random() < 0.3:
                later["dependencies"][later["dependencies"].index(parts[-1])] = squash
    return made


def random_rows(dice: random.Random, disk: Disk) -> frozenset[Name]:
    """Draw rows of Django's table: nothing, everything or anything."""
    names = sorted(disk.migrations)
    return frozenset(dice.sample(names, dice.choice((0, len(names), dice.randint(0, len(names))))))


def django_says(disk: Disk, rows: Collection[Name]) -> MigrationLoader:
    """Let Django's own loader read a history and these rows."""

    class Recorder:
        def __init__(self, _: object) -> None:
            pass

        def applied_migrations(self) -> dict[Name, None]:
            return dict.fromkeys(rows)

    class Loader(MigrationLoader):
        def load_disk(self) -> None:
            self.disk_migrations = dict(disk.migrations)
            self.migrated_apps = set(disk.migrated_apps)
            self.unmigrated_apps = set(disk.unmigrated_apps)

    with patch.object(django_loader, "MigrationRecorder", Recorder):  # stands for the table
        return Loader(object())  # type: ignore[arg-type]  # a connection that only the recorder would use


def django_executor(loader: MigrationLoader) -> MigrationExecutor:
    """Return Django's executor over a loader, without a server."""
    executor = MigrationExecutor.__new__(MigrationExecutor)
    executor.loader = loader
    return executor


def steps_of(disk: Disk) -> Sequence[Step]:
    """Return the migrations as steps."""
    history = History(disk)
    return [history.step(ALIAS, name) for name in history.names_for(APPS)]


def keys(names: Collection[Name]) -> Sequence[StepKey]:
    """Return names as keys of the store."""
    return [StepKey(ALIAS, *name) for name in names]
