"""What rules look at: one migration, read."""

from __future__ import annotations

import ast
import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from accord.seam.types import Phase, StepKey
from migrator.foretelling.acts import Act, Kind
from migrator.foretelling.locks import Burden, burden_of
from migrator.lint.syntax import Nodes


class Family(enum.StrEnum):
    """Which tool's file it is."""

    DJANGO = "django"
    ALEMBIC = "alembic"
    REVISION = "revision"
    """A revision of a store of documents or a search index."""


@dataclass(frozen=True, kw_only=True)
class Spot:
    """
    A place in a file.

    Attributes:
        line: The first line, from 1.
        end: The last one.
        what: What stands there, for people; empty for the file as a whole.
    """

    line: int = 1
    end: int = 1
    what: str = ""


WHOLE = Spot()
"""The file as a whole."""


@dataclass(frozen=True, kw_only=True)
class Sight:
    """
    One act of a migration, with what is known around it.

    Attributes:
        act: What is done to which table.
        spot: Where it stands.
        number: Which operation of the file it belongs to, from 0.
        fresh: Whether the table comes with the same release, so that nobody uses it yet.
        old_type: Type of the column before, where a type changes and it is known.
        proved: Whether a validated CHECK says already what is asked for, so that no row is read.
        in_transaction: Whether it runs inside one.
        eased: Whether Accord sends it in parts, beside readers and writers, where the table is large.
    """

    act: Act
    spot: Spot
    number: int = 0
    fresh: bool = False
    old_type: str = ""
    proved: bool = False
    in_transaction: bool = True
    eased: bool = False

    @cached_property
    def burden(self) -> Burden:
        """Return lock and work that it costs its table."""
        if self.proved:
            return Burden(mode=burden_of(self.act).mode)
        return burden_of(self.act, self.old_type)


@dataclass(frozen=True, kw_only=True)
class Function:
    """
    A Python function that a migration runs.

    Attributes:
        node: Its syntax tree; None where that can't be read.
        spot: Where it stands.
        number: Which operation of the file runs it.
        forwards: Whether it is the way forward.
    """

    node: ast.FunctionDef | ast.Lambda | None
    spot: Spot
    number: int = 0
    forwards: bool = True

    @cached_property
    def nodes(self) -> Nodes:
        """The nodes of its tree."""
        return Nodes(self.node or ast.Module(body=[], type_ignores=[]))

    def is_of(self, nodes: Nodes) -> bool:
        """Return whether it is written in a file."""
        return self.node is not None and any(one is self.node for one in nodes.of(type(self.node)))


@dataclass(frozen=True, kw_only=True)
class Unseen:
    """
    What nobody looked at.

    Attributes:
        spot: Where.
        why: Why not, a part of a sentence.
    """

    spot: Spot
    why: str


@dataclass(frozen=True, kw_only=True)
class CutName:
    """
    A name of which the database keeps a part alone.

    Attributes:
        name: As it is written.
        spot: Where.
    """

    name: str
    spot: Spot


@dataclass(frozen=True, kw_only=True)
class Astray:
    """
    A model that doesn't come to another app as it is meant to.

    Attributes:
        spot: The operation.
        text: What is wrong, a sentence.
        is_early: Whether it moves before something that knows it by its old label; else its rows stay behind.
    """

    spot: Spot
    text: str
    is_early: bool = False


@dataclass(frozen=True, kw_only=True)
class Subject:
    """
    One migration, read.

    Attributes:
        key: The step.
        family: Which tool's file it is.
        path: The file.
        text: The file's.
        tree: Its syntax tree.
        atomic: Whether it runs in one transaction.
        phase: When it runs, seen from the deploy.
        explained: Why it can't be undone, as its author says; empty where they don't.
        sights: What it does, in its order.
        functions: The Python that it runs.
        one_way: Operations without a way back.
        unseen: What nobody looked at.
        cut_names: Names that are too long.
        astray: Models that come to another app without their rows, or too early.
        rivals: Names of other last migrations of its app, of which Django takes none.
        squash: Whether it stands for others.
        beside: Code of its app that changes together with it; none where nobody asked what changed.
    """

    key: StepKey
    family: Family
    path: Path
    text: str
    tree: ast.Module
    atomic: bool = True
    phase: Phase = Phase.EXPAND
    explained: str = ""
    sights: Sequence[Sight] = ()
    functions: Sequence[Function] = ()
    one_way: Sequence[Spot] = ()
    unseen: Sequence[Unseen] = ()
    cut_names: Sequence[CutName] = ()
    astray: Sequence[Astray] = ()
    rivals: Sequence[str] = ()
    squash: bool = False
    beside: Sequence[str] = ()

    @cached_property
    def nodes(self) -> Nodes:
        """The nodes of the tree."""
        return Nodes(self.tree)

    def standing(self, *kinds: Kind) -> Iterator[Sight]:
        """Yield the acts of some kinds on tables that somebody uses already."""
        return (sight for sight in self.sights if sight.act.kind in kinds and not sight.fresh)
