"""Django's migrations as they lie on disk, and as steps of a store. No server is asked."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation

from accord.errors import InvalidRevision, RevisionError, RevisionUnreadable, RevisionWithoutMigration
from accord.locks import patience
from accord.revisions import parse_cross_dependencies
from accord.revisions.unreadable import unparsed
from accord.seam.types import FIRST, LATEST, Phase, Source, Step, StepKey

Name = tuple[str, str]
"""App label and migration name, as Django writes them."""

FOUNDATION = frozenset({"accord", "migrator", "gdpr"})
"""The suite's own apps: what they keep can't stand in a system that never ran them."""

SUITE = FOUNDATION | {"mongo_migrations", "searchindex"}
"""Apps of the suite itself, whose files may lie in the checkout."""


def name_of(step: Step) -> Name:
    """Return app and name of a step, as Django writes them."""
    return step.key.app, step.key.name


class DiskLoader(MigrationLoader):
    """Django's loader, which says which file is wrong and never asks a server."""

    def __init__(self) -> None:
        super().__init__(None, load=False)
        self.load_disk()

    def load_disk(self) -> None:
        """
        Read every migration of every installed app.

        Raises:
            RevisionUnreadable: A file has a syntax error or raises on import.
            RevisionWithoutMigration: A file defines no `Migration`.
        """
        try:
            super().load_disk()
        except Exception as exc:
            raise _culprit(exc) from exc

    @property
    def migrations(self) -> Mapping[Name, Migration]:
        """Migrations by app label and name."""
        return self.disk_migrations or {}


class History:
    """
    The migrations on disk with their dependencies made plain: no `__first__`, no `run_before`.

    Args:
        disk: What was read.
    """

    def __init__(self, disk: DiskLoader) -> None:
        self.disk = disk
        self._edges = _Edges(disk)

    def names_for(self, apps: Iterable[str]) -> Sequence[Name]:
        """
        List the migrations of some apps and everything that they depend on.

        Args:
            apps: Labels of the apps that a database takes.

        Returns:
            App labels and names, sorted.
        """
        wanted = set(apps)
        pending = [name for name in self.disk.migrations if name[0] in wanted]
        found: set[Name] = set()
        while pending:
            name = pending.pop()
            if name in found or name not in self.disk.migrations:
                continue
            found.add(name)
            pending.extend(self._edges.parents(name))
            pending.extend(self.disk.migrations[name].replaces)
        return sorted(found)

    def step(self, alias: str, name: Name) -> Step:
        """
        Describe a migration as a step.

        Args:
            alias: The store.
            name: The migration.

        Raises:
            InvalidRevision: `cross_dependencies` or `phase` does not fit.
        """
        migration = self.disk.migrations[name]
        path = _file_of(migration)
        own = tuple(StepKey(alias, *parent) for parent in self._edges.parents(name))
        foreign = getattr(migration, "cross_dependencies", ())
        return Step(
            key=StepKey(alias, *name),
            source=Source(path),
            dependencies=own + (parse_cross_dependencies(foreign, str(path)) if foreign else ()),
            phase=_phase(migration, path),
            title=_title(migration),
            irreversible=getattr(migration, "irreversible", "") or irreversible_reason(migration.operations),
            replaces=tuple(StepKey(alias, *replaced) for replaced in migration.replaces),
            foundation=name[0] in FOUNDATION,
            waits=patience.told(getattr(migration, "locks", None), str(path)),
            third_party=_is_installed(path),
        )


class _Edges:
    """Dependencies of each migration, worked out as Django does."""

    def __init__(self, disk: DiskLoader) -> None:
        self._disk = disk
        self._parents: dict[Name, list[Name]] = {name: [] for name in disk.migrations}
        self._inside = {name: _parents_inside(name, migration) for name, migration in disk.migrations.items()}
        for name, migration in disk.migrations.items():
            self._parents[name].extend(self._resolved(migration.dependencies, name))
        for name, migration in disk.migrations.items():
            for child in self._resolved(migration.run_before, name):
                self._parents.setdefault(child, []).append(name)

    def parents(self, name: Name) -> Sequence[Name]:
        return self._parents.get(name, [])

    def _resolved(self, declared: Iterable[tuple[str, str]], owner: Name) -> Iterator[Name]:
        for app, name in declared:
            if name not in (FIRST, LATEST):
                yield app, name
            elif app != owner[0] and app not in self._disk.unmigrated_apps:
                yield self._end_of(app, name)

    def _end_of(self, app: str, which: str) -> Name:
        """Return the first or the newest migration of an app; of several, the one that Django takes."""
        names = sorted(name for name in self._inside if name[0] == app)
        if which == FIRST:
            ends = [name for name in names if not self._inside[name]]
        else:
            depended_on = {parent for name in names for parent in self._inside[name]}
            ends = [name for name in names if name not in depended_on]
        return ends[0] if ends else (app, which)


def _parents_inside(name: Name, migration: Migration) -> frozenset[Name]:
    return frozenset(
        (app, parent) for app, parent in migration.dependencies if app == name[0] and parent != FIRST
    )


def irreversible_reason(operations: Sequence[Operation]) -> str:
    """
    Return why a migration can't be undone.

    Args:
        operations: Its operations.

    Returns:
        A sentence about the first operation that has no reverse; empty when all have one.
    """
    for operation in operations:
        if not operation.reversible:
            return f"“{operation.describe()}” has no reverse."
        inner = operation.database_operations if isinstance(operation, SeparateDatabaseAndState) else ()
        if reason := irreversible_reason(inner):
            return reason
    return ""


def _file_of(migration: Migration) -> Path:
    module = sys.modules[type(migration).__module__]
    return Path(module.__file__ or "")


def _title(migration: Migration) -> str:
    docstring = (sys.modules[type(migration).__module__].__doc__ or "").strip()
    if docstring:
        return docstring.splitlines()[0]
    number, _, words = migration.name.partition("_")
    return (words if number.isdigit() and words else migration.name).replace("_", " ").capitalize()


def _phase(migration: Migration, path: Path) -> Phase:
    declared = getattr(migration, "phase", None) or _inferred(migration)
    try:
        return Phase(declared)
    except ValueError as exc:
        raise InvalidRevision(
            f"{path}: the phase {declared!r} does not exist.", hint=f"Phases: {', '.join(Phase)}."
        ) from exc


def _inferred(migration: Migration) -> Phase:
    """Return the last phase of its operations that belong to one; most belong to none, and come first."""
    found = {operation.phase for operation in migration.operations if hasattr(operation, "phase")}
    return max(found, key=list(Phase).index, default=Phase.EXPAND)


@cache
def _installed_roots() -> tuple[str, ...]:
    return tuple({sysconfig.get_path(name) + "/" for name in ("purelib", "platlib")})


def _is_installed(path: Path) -> bool:
    return str(path).startswith(_installed_roots())


def _culprit(error: Exception) -> RevisionError:
    """Find the file that Django stumbled over: Django's own message doesn't always name it."""
    for module, path in _modules():
        try:
            loaded = import_module(module)
        except SyntaxError as exc:
            return unparsed(path, exc)
        except Exception as exc:  # noqa: BLE001 - a revision may raise anything while it is imported
            return RevisionUnreadable(
                f"{path} raises {type(exc).__name__} while it is imported: {exc}.",
                # A name that begins with a digit is none that `import` takes.
                hint=f"Try it alone: python manage.py shell -c '__import__(\"{module}\")'.",
            )
        if not hasattr(loaded, "Migration") and not hasattr(loaded, "__path__"):
            return RevisionWithoutMigration(
                f"{path} defines no class Migration(django.db.migrations.Migration).",
                hint="Add one, or move the file out of the folder.",
            )
    return RevisionUnreadable(
        f"The migrations can't be read: {type(error).__name__}: {error}.",
        hint="Run python manage.py showmigrations to see Django's own account.",
    )


def _modules() -> Iterator[tuple[str, str]]:
    """Name every module that Django reads as a migration, each package of them first."""
    from django.apps import apps

    for config in apps.get_app_configs():
        package, _ = MigrationLoader.migrations_module(config.label)
        if package is None:
            continue
        yield from _modules_in(package, config.path)


def _modules_in(package: str, app_path: str) -> Iterator[tuple[str, str]]:
    try:
        module: Any = import_module(package)
    except ModuleNotFoundError:
        return
    except Exception:  # noqa: BLE001 - reported by the caller, who imports it again
        yield package, str(Path(app_path) / "migrations" / "__init__.py")
        return
    for finder, name, is_package in iter_modules(getattr(module, "__path__", ())):
        if not is_package and name[0] not in "_~":
            yield f"{package}.{name}", str(Path(getattr(finder, "path", app_path)) / f"{name}.py")
