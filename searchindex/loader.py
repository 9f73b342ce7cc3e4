"""Reads search revisions from disk and describes them as steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from accord.errors import InvalidRevision, UnknownTarget
from accord.revisions import RevisionFile, load_revisions, to_step
from accord.types import Step, StepKey
from searchindex.migration import Migration
from searchindex.operations.base import Operation

FOLDER = "search_migrations"


@dataclass(frozen=True)
class Loader:
    """
    The revisions of one store, read when they are first asked for.

    Attributes:
        store: Alias of the store.
    """

    store: str

    @cached_property
    def files(self) -> Mapping[StepKey, RevisionFile]:
        """Revisions by step, ordered by app and name."""
        found = load_revisions(FOLDER, Migration)
        return {StepKey(self.store, file.app, file.name): file for file in found}

    @cached_property
    def steps(self) -> Sequence[Step]:
        """
        Every revision as a step.

        Raises:
            RevisionError: A file can't be used.
        """
        return [to_step(self.store, file, _irreversible(operations_of(file))) for file in self.files.values()]

    def operations(self, key: StepKey) -> Sequence[Operation]:
        """
        Give what a step does.

        Raises:
            UnknownTarget: No file declares the step.
        """
        file = self.files.get(key)
        if file is None:
            raise UnknownTarget(f"No file declares the step {key}.", hint="Restore the file.")
        return operations_of(file)


def operations_of(file: RevisionFile) -> Sequence[Operation]:
    """
    Check and give the operations of a revision.

    Raises:
        InvalidRevision: One of them is no operation, or two would make the same index.
    """
    declared: object = vars(file.revision).get("operations", getattr(file.revision, "operations", ()))
    if not isinstance(declared, list | tuple):
        raise InvalidRevision(f"{file.path}: operations is no list.", hint="Write operations = [...].")
    for operation in declared:
        if not isinstance(operation, Operation):
            raise InvalidRevision(
                f"{file.path}: operations holds {type(operation).__name__}, which is no operation.",
                hint="Use the classes of searchindex, such as CreateIndex.",
            )
    _refuse_same_index_twice(file, declared)
    return declared


def _refuse_same_index_twice(file: RevisionFile, operations: Sequence[Operation]) -> None:
    made = [operation.makes for operation in operations if operation.makes]
    twice = sorted({name for name in made if made.count(name) > 1})
    if twice:
        raise InvalidRevision(
            f"{file.path} makes an index for “{twice[0]}” twice.",
            hint="An index is named after the number of its revision: write one revision for each.",
        )


def _irreversible(operations: Sequence[Operation]) -> str:
    return next((operation.irreversible for operation in operations if operation.irreversible), "")
