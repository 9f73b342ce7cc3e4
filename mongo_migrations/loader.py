"""Loader: the MongoDB revisions of every installed app, read from disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from accord.errors import InvalidRevision
from accord.revisions import RevisionFile, load_revisions, to_step
from accord.types import Step, StepKey
from mongo_migrations.migration import Migration
from mongo_migrations.operations.base import Operation

FOLDER = "mongo_migrations"


@dataclass(frozen=True, kw_only=True)
class LoadedRevision:
    """
    A revision that can be run.

    Attributes:
        step: How the engine sees it.
        operations: What it does.
    """

    step: Step
    operations: tuple[Operation, ...]


def load(alias: str) -> Mapping[StepKey, LoadedRevision]:
    """
    Read every revision from disk; no server is asked.

    Args:
        alias: Store that the steps belong to.

    Raises:
        RevisionError: A file can't be used.
    """
    loaded = (_loaded(alias, file) for file in load_revisions(FOLDER, Migration))
    return {revision.step.key: revision for revision in loaded}


def _loaded(alias: str, file: RevisionFile) -> LoadedRevision:
    operations = _operations(file)
    return LoadedRevision(step=to_step(alias, file, _irreversible(operations)), operations=operations)


def _operations(file: RevisionFile) -> tuple[Operation, ...]:
    declared = getattr(file.revision, "operations", ())
    if not isinstance(declared, list | tuple):
        raise InvalidRevision(
            f"{file.path}: operations is a {type(declared).__name__}.", hint="Make it a list of operations."
        )
    for number, operation in enumerate(declared, start=1):
        if not isinstance(operation, Operation):
            raise InvalidRevision(
                f"{file.path}: operation {number} is a {type(operation).__name__}, no operation of MongoDB.",
                hint="Use those of mongo_migrations, such as CreateCollection; see docs/howto/"
                "write-a-mongo-revision.md.",
            )
    return tuple(declared)


def _irreversible(operations: Sequence[Operation]) -> str:
    return next((operation.irreversible for operation in operations if operation.irreversible), "")
