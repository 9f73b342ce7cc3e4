"""Chooses what is looked at, out of all stores, and reads it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from accord.seam.past import KeepsTexts
from accord.seam.stores import Store, by_store
from accord.seam.types import Step, StepKey
from migrator.alembic.store import AlembicStore
from migrator.lint.reading import alembic as of_alembic
from migrator.lint.reading import django as of_django
from migrator.lint.reading import revisions
from migrator.lint.subject import Family, Subject
from migrator.relational.loader import SUITE, DiskLoader
from migrator.relational.store import RelationalStore


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """
    What is to be looked at.

    Attributes:
        apps: Only these, whoever wrote them; none means all that the project wrote itself.
        files: Only these; None means all.
        keys: Only these steps; None means all.
        eases: Whether a run sends in parts what would lock large tables.
    """

    apps: Collection[str] = ()
    files: Collection[Path] | None = None
    keys: Collection[StepKey] | None = None
    eases: bool = False

    def takes(self, step: Step) -> bool:
        """Return whether a step is looked at."""
        if self.apps and step.key.app not in self.apps:
            return False
        if self.keys is not None and step.key not in self.keys:
            return False
        if self.files is not None and step.source.path.resolve() not in self.files:
            return False
        return bool(self.apps) or is_own(step)

    @property
    def is_a_release(self) -> bool:
        """Return whether what is looked at comes out together, and isn't the whole past."""
        return self.files is not None or self.keys is not None


def is_own(step: Step) -> bool:
    """Return whether the project wrote a step itself."""
    return not (step.foundation or step.third_party or step.key.app in SUITE)


def subjects(stores: Mapping[str, Store], wanted: Wanted) -> Iterator[Subject]:
    """
    Read what is wanted of every store, each file once.

    Raises:
        RevisionError: A file can't be used.
    """
    everything = (step for alias in stores for step in stores[alias].steps())
    return subjects_of(stores, everything, wanted)


def subjects_of(stores: Mapping[str, Store], steps: Iterable[Step], wanted: Wanted) -> Iterator[Subject]:
    """
    Read what is wanted of some steps, each file once.

    Args:
        stores: The stores by alias.
        steps: Their steps.
        wanted: Which of them.

    Raises:
        RevisionError: A file can't be used.
    """
    chosen = {step.source.path: step for step in reversed([*steps]) if wanted.takes(step)}
    for alias, own in by_store(reversed([*chosen.values()])).items():
        for subject in _of_store(alias, stores[alias], own, wanted):
            yield replace(subject, beside=_code_beside(subject, wanted.files)) if wanted.files else subject


def _code_beside(subject: Subject, files: Collection[Path]) -> Sequence[str]:
    """Name what changed of the app's code; models go with their migration, and tests with everything."""
    if subject.family is Family.ALEMBIC:
        return ()  # nothing says whose code it is
    app = subject.path.resolve().parent.parent
    inside = [path.relative_to(app) for path in files if path.suffix == ".py" and path.is_relative_to(app)]
    return sorted(str(path) for path in inside if not _stays(path))


def _stays(path: Path) -> bool:
    folders = {part.removesuffix(".py") for part in path.parts}
    is_model = bool(folders & {"models", "documents", "tests"})
    return is_model or path.name.startswith("test_") or any(one.endswith("migrations") for one in folders)


def _of_store(alias: str, store: Store, steps: Sequence[Step], wanted: Wanted) -> Iterator[Subject]:
    if not steps:
        return
    if isinstance(store, RelationalStore):
        named = {(step.key.app, step.key.name): step for step in steps}
        release = frozenset(named) if wanted.is_a_release else frozenset()
        yield from of_django.read(alias, DiskLoader(), named, release, eases=wanted.eases)
    elif isinstance(store, AlembicStore):
        yield from of_alembic.read(steps, is_a_release=wanted.is_a_release)
    elif not isinstance(store, KeepsTexts):  # whose files are no Python: rules of migrations don't fit them
        yield from revisions.read(steps)
