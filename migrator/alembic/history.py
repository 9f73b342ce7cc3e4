"""All revisions of a history as a graph: who comes before whom, what heads imply. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter

from accord.errors import DuplicateNumber, InvalidRevision
from migrator.alembic.scripts import Script
from migrator.errors import CyclicDependency, MissingDependency


@dataclass(frozen=True)
class History:
    """
    The revisions of a history, checked.

    Attributes:
        scripts: Revisions by id, in the order in which they were found.
        parents: Ids that each revision needs: those it follows and those it depends on.
        follows: Ids that each revision follows.
    """

    scripts: Mapping[str, Script]
    parents: Mapping[str, tuple[str, ...]]
    follows: Mapping[str, tuple[str, ...]]

    @cached_property
    def children(self) -> Mapping[str, tuple[str, ...]]:
        """Ids that need each revision."""
        found: dict[str, list[str]] = defaultdict(list)
        for revision, parents in self.parents.items():
            for parent in parents:
                found[parent].append(revision)
        return {revision: tuple(found[revision]) for revision in self.scripts}

    def implied(self, heads: Iterable[str]) -> frozenset[str]:
        """
        Return everything that is applied where Alembic's table holds these heads.

        Args:
            heads: Ids; those that no file declares are left out.
        """
        found: set[str] = set()
        waiting = [head for head in heads if head in self.scripts]
        while waiting:
            revision = waiting.pop()
            if revision not in found:
                found.add(revision)
                waiting.extend(self.parents[revision])
        return frozenset(found)

    def heads_of(self, applied: AbstractSet[str]) -> tuple[str, ...]:
        """
        Return the heads that stand for a set of applied revisions: the opposite of :meth:`implied`.

        Args:
            applied: Ids; with each one, all that it needs.
        """
        return tuple(
            revision
            for revision in self.scripts
            if revision in applied and applied.isdisjoint(self.children[revision])
        )

    def sorted(self) -> tuple[str, ...]:
        """Return the ids so that none comes before one that it needs."""
        return tuple(TopologicalSorter(self.parents).static_order())


def build(scripts: Iterable[Script]) -> History:
    """
    Put revisions together.

    Args:
        scripts: What was read from disk.

    Raises:
        DuplicateNumber: Two files declare the same id.
        InvalidRevision: Two revisions give their branch the same label.
        MissingDependency: A revision follows, or depends on, one that no file declares.
        CyclicDependency: Revisions need each other in a circle.
    """
    by_id = _by_id(scripts)
    names = {**_by_label(by_id.values()), **{revision: revision for revision in by_id}}
    parents = {revision: tuple(_parents(script, names)) for revision, script in by_id.items()}
    _refuse_cycles(by_id, parents)
    follows = {
        revision: tuple(names[name] for name in script.down_revisions) for revision, script in by_id.items()
    }
    return History(by_id, parents, follows)


def _by_id(scripts: Iterable[Script]) -> Mapping[str, Script]:
    found: dict[str, Script] = {}
    for script in scripts:
        other = found.setdefault(script.revision, script)
        if other is not script:
            raise DuplicateNumber(
                f"Two files declare the revision {script.revision}: {other.path} and {script.path}.",
                hint="Give the one that is not applied anywhere another id, and make it follow the other.",
            )
    return found


def _by_label(scripts: Collection[Script]) -> Mapping[str, str]:
    ids = {script.revision: script for script in scripts}
    found: dict[str, Script] = {}
    for script in scripts:
        for label in script.branch_labels:
            other = ids.get(label) or found.setdefault(label, script)
            if other is not script:
                raise InvalidRevision(
                    f"{script.path} gives its branch the label “{label}”, which {other.path} uses already.",
                    hint="Choose another label.",
                )
    return {label: script.revision for label, script in found.items()}


def _parents(script: Script, names: Mapping[str, str]) -> Iterator[str]:
    for name in dict.fromkeys((*script.down_revisions, *script.depends_on)):
        if name not in names:
            raise MissingDependency(
                f"{script.path} needs the revision {name}, which no file declares.",
                hint="Restore the missing file, or correct down_revision or depends_on.",
            )
        yield names[name]


def _refuse_cycles(by_id: Mapping[str, Script], parents: Mapping[str, tuple[str, ...]]) -> None:
    try:
        TopologicalSorter(parents).prepare()
    except CycleError as exc:
        circle = list(dict.fromkeys(exc.args[1]))
        files = ", ".join(str(by_id[revision].path) for revision in circle)
        raise CyclicDependency(
            f"Revisions need each other in a circle: {files}.",
            hint="Correct down_revision or depends_on in one.",
        ) from exc
