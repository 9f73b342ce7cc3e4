"""
Revisions on disk: files `NNNN_name.py` in a folder of that name in every installed app.

The revisions of every store of the machine are read here alike; Django's own migrations and Alembic's
revisions have loaders of their own. A file is a Python module with a class `Migration`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

from django.apps import AppConfig, apps

from accord.errors import (
    DuplicateNumber,
    InvalidRevision,
    RevisionError,
    RevisionUnreadable,
    RevisionWithoutMigration,
)
from accord.places import nearest
from accord.revisions.operation import Operation, irreversible
from accord.revisions.unreadable import unparsed
from accord.seam.assertions import Assertion, Moment, Test, declared
from accord.seam.types import Phase, Source, Step, StepKey

Declared = Sequence[Test] | Mapping[str, Test]
"""How assertions are written: a list, or a dictionary by name."""

_NAME = re.compile(r"^(?P<number>\d{4,})_[a-z0-9_]+$")


class Revision:
    """
    Base of the class `Migration` that a revision file declares.

    Attributes:
        dependencies: Revisions of the same store, as `("app", "0001_name")`.
        cross_dependencies: Steps of other stores, as `("store", "app", "0001_name")`.
        phase: `expand` (default), `backfill` or `contract`.
        irreversible: Why it can't be undone; empty when every operation can.
        checks_before: What has to hold before it runs; functions of what the store hands over.
        checks_after: What has to hold once it ran, and for ever after.
    """

    dependencies: ClassVar[Sequence[tuple[str, str]]] = ()
    cross_dependencies: ClassVar[Sequence[tuple[str, str, str]]] = ()
    phase: ClassVar[str] = Phase.EXPAND
    irreversible: ClassVar[str] = ""
    checks_before: ClassVar[Declared] = ()
    checks_after: ClassVar[Declared] = ()


@dataclass(frozen=True, kw_only=True)
class RevisionFile:
    """
    A revision file that was read.

    Attributes:
        app: Label of the app.
        name: File name without its ending.
        path: The file.
        revision: The `Migration` class.
        title: First line of the module's docstring, or the name in words.
    """

    app: str
    name: str
    path: Path
    revision: type[Revision]
    title: str


@dataclass(frozen=True, kw_only=True)
class LoadedRevision:
    """
    A revision that can be run.

    Attributes:
        step: How the engine sees it.
        operations: What it does.
        assertions: What its author says has to hold, by when.
    """

    step: Step
    operations: tuple[Operation[Any], ...]
    assertions: Mapping[Moment, tuple[Assertion, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RevisionKind:
    """
    What the revisions of one kind of store look like on disk.

    Attributes:
        folder: Name of the sub-package that holds them in an app.
        base: Class that their `Migration` derives from.
        operation: Class that what stands in its `operations` derives from.
        package: Where an author finds the operations.
        check: Raises InvalidRevision when operations don't go together.
    """

    folder: str
    base: type[Revision]
    operation: type
    package: str
    check: Callable[[RevisionFile, Sequence[Any]], None] = lambda _file, _operations: None

    def load(self, store: str) -> Mapping[StepKey, LoadedRevision]:
        """
        Read every revision from disk; no server is asked.

        Args:
            store: Alias of the store that the steps belong to.

        Raises:
            RevisionError: A file can't be used.
        """
        loaded = (self._loaded(store, file) for file in load_revisions(self.folder, self.base))
        return {revision.step.key: revision for revision in loaded}

    def _loaded(self, store: str, file: RevisionFile) -> LoadedRevision:
        operations = self._operations(file)
        step = to_step(store, file, irreversible(operations))
        return LoadedRevision(step=step, operations=operations, assertions=_assertions(file))

    def _operations(self, file: RevisionFile) -> tuple[Operation[Any], ...]:
        declared = getattr(file.revision, "operations", ())
        hint = f"Write operations = [...] with operations of {self.package}."
        if not isinstance(declared, list | tuple):
            raise InvalidRevision(f"{file.path}: operations is a {type(declared).__name__}.", hint=hint)
        for number, operation in enumerate(declared, start=1):
            if not isinstance(operation, self.operation):
                raise InvalidRevision(
                    f"{file.path}: operation {number} is a {type(operation).__name__}, "
                    f"no operation of {self.package}.",
                    hint=hint,
                )
        self.check(file, declared)
        return tuple(declared)


def load_revisions(folder: str, base: type[Revision]) -> Sequence[RevisionFile]:
    """
    Read every revision of one kind in every installed app.

    Args:
        folder: Name of the sub-package that holds them (`mongo_migrations`).
        base: Class that their `Migration` must derive from.

    Returns:
        Revisions ordered by app and name.

    Raises:
        RevisionUnreadable: A file has a syntax error or raises on import.
        RevisionWithoutMigration: A file defines no `Migration` of that base.
        InvalidRevision: A file's name is not of the form `NNNN_name.py`.
        DuplicateNumber: Two files of an app share their number.
    """
    found: list[RevisionFile] = []
    for config in sorted(apps.get_app_configs(), key=lambda config: config.label):
        paths = _revision_paths(config, folder)
        _refuse_duplicate_numbers(config.label, paths)
        found.extend(_load(config, folder, path, base) for path in paths)
    return found


def why_absent(app: str) -> str:
    """Return a clause that tells why no file of an app is read; empty for an app that is installed."""
    return "" if app in apps.app_configs else "is not installed here"


def to_step(store: str, file: RevisionFile, irreversible: str = "") -> Step:
    """
    Describe a revision as a step of a store.

    Args:
        store: Alias of the store.
        file: The revision.
        irreversible: Why its operations can't be undone, if one can't; a reason that the
            revision itself states goes first.

    Raises:
        InvalidRevision: A dependency or the phase is not of the right form.
    """
    revision = file.revision
    return Step(
        key=StepKey(store, file.app, file.name),
        source=Source(file.path),
        dependencies=tuple(_dependencies(store, file)),
        phase=_phase(file),
        title=file.title,
        irreversible=revision.irreversible or irreversible,
    )


def parse_cross_dependencies(declared: object, place: str) -> tuple[StepKey, ...]:
    """
    Check the form of `cross_dependencies`.

    Args:
        declared: What the class attribute holds.
        place: File that holds it, for the message.

    Raises:
        InvalidRevision: It is not a sequence of three texts each.
    """
    return tuple(StepKey(*names) for names in _tuples(declared, 3, "cross_dependencies", place))


def _assertions(file: RevisionFile) -> Mapping[Moment, tuple[Assertion, ...]]:
    return {
        moment: declared(value, moment, str(file.path), sql=False)
        for moment in Moment
        if (value := getattr(file.revision, moment.value, ()))
    }


def _revision_paths(config: AppConfig, folder: str) -> Sequence[Path]:
    directory = Path(config.path) / folder
    if not directory.is_dir() or not (directory / "__init__.py").exists():
        return ()
    return sorted(path for path in directory.glob("*.py") if path.name[0] not in "_~.")


def _refuse_duplicate_numbers(app: str, paths: Iterable[Path]) -> None:
    by_number: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        match = _NAME.match(path.stem)
        if match is None:
            raise InvalidRevision(
                f"{path}: “{path.stem}” is not a name of a revision.",
                hint="Name it NNNN_what_it_does.py in small letters, such as 0001_playlists.py.",
            )
        by_number[match["number"]].append(path)
    for number, same in by_number.items():
        if len(same) > 1:
            files = " and ".join(str(path) for path in same)
            raise DuplicateNumber(
                f"The app “{app}” has number {number} twice: {files}.",
                hint="Renumber the one that is not applied anywhere, and make it depend on the other.",
            )


def _load(config: AppConfig, folder: str, path: Path, base: type[Revision]) -> RevisionFile:
    module_name = f"{config.name}.{folder}.{path.stem}"
    try:
        module = import_module(module_name)
    except SyntaxError as exc:
        raise unparsed(path, exc) from exc
    except RevisionError as exc:
        # What an operation says of its own words is said once, with the line.
        line = nearest(exc, {str(path)})
        place = f"{path}, line {line.lineno}" if line else str(path)
        raise InvalidRevision(f"{place}: {exc.message}", hint=exc.hint) from exc
    except Exception as exc:
        raise RevisionUnreadable(
            f"{path} raises {type(exc).__name__} while it is imported: {exc}.",
            hint=f"Try it alone: python manage.py shell -c '__import__(\"{module_name}\")'.",
        ) from exc
    revision = getattr(module, "Migration", None)
    if not (isinstance(revision, type) and issubclass(revision, base)):
        raise RevisionWithoutMigration(
            f"{path} defines no class Migration({base.__module__}.{base.__qualname__}).",
            hint="Add one, or move the file out of the folder.",
        )
    title = next(iter((module.__doc__ or "").strip().splitlines()), "") or _in_words(path.stem)
    return RevisionFile(app=config.label, name=path.stem, path=path, revision=revision, title=title)


def _in_words(name: str) -> str:
    return name.partition("_")[2].replace("_", " ").capitalize()


def _dependencies(store: str, file: RevisionFile) -> Iterator[StepKey]:
    place = str(file.path)
    for app, name in _tuples(file.revision.dependencies, 2, "dependencies", place):
        yield StepKey(store, app, name)
    yield from parse_cross_dependencies(file.revision.cross_dependencies, place)


def _tuples(declared: object, size: int, attribute: str, place: str) -> Iterator[tuple[str, ...]]:
    form = {2: '("app", "0001_name")', 3: '("store", "app", "0001_name")'}[size]
    for item in declared if isinstance(declared, list | tuple) else [declared]:
        if not (
            isinstance(item, list | tuple) and len(item) == size and all(isinstance(x, str) for x in item)
        ):
            raise InvalidRevision(
                f"{place}: {attribute} holds {item!r}.", hint=f"Write each entry as {form}."
            )
        yield tuple(item)


def _phase(file: RevisionFile) -> Phase:
    try:
        return Phase(file.revision.phase)
    except ValueError as exc:
        raise InvalidRevision(
            f"{file.path}: the phase {file.revision.phase!r} does not exist.",
            hint=f"Phases: {', '.join(Phase)}.",
        ) from exc
