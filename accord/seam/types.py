"""The values that the whole suite speaks in. Frozen, and free of any framework."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from accord.errors import UnknownTarget
from accord.seam import checksum as checksums
from accord.seam.differences import Difference
from accord.words import counted

FIRST = "__first__"
"""Name that stands for the first step of an app in a store, as in Django."""
LATEST = "__latest__"
"""Name that stands for the newest step of an app in a store, as in Django."""


class Phase(enum.StrEnum):
    """When a step runs, seen from the deploy of the code that needs it."""

    EXPAND = "expand"
    """Before the deploy: additive, the running code tolerates it."""
    BACKFILL = "backfill"
    """Around the deploy: fills the new shape from old data."""
    CONTRACT = "contract"
    """After the deploy: removes what no code reads any more."""


class Direction(enum.StrEnum):
    """Which way a step goes."""

    APPLY = "apply"
    REVERT = "revert"


class StepKey(NamedTuple):
    """
    Identity of a step: `store:app.name`.

    A tuple, because planning hashes and compares keys hundreds of thousands of times.

    Attributes:
        store: Alias of the store.
        app: Label of the Django app (or of the Alembic history) that owns the step.
        name: Name of the revision within its app, without the file's ending.
    """

    store: str
    app: str
    name: str

    def __str__(self) -> str:
        return f"{self.store}:{self.app}.{self.name}"

    @classmethod
    def parse(cls, text: str) -> StepKey:
        """
        Read a key from the form that :meth:`__str__` writes.

        Raises:
            UnknownTarget: The text is not of the form `store:app.name`.
        """
        store, colon, rest = text.partition(":")
        app, dot, name = rest.partition(".")
        if not (store and colon and app and dot and name):
            raise UnknownTarget(f"“{text}” is not a step.", hint="Write a step as store:app.name.")
        return cls(store, app, name)


@dataclass(frozen=True)
class Source:
    """
    The file behind a step, read on first use.

    Attributes:
        path: The file.
        content: Its bytes, for sources that have no file; None means: read the file.
    """

    path: Path
    content: bytes | None = field(default=None, repr=False)

    @cached_property
    def _bytes(self) -> bytes:
        return self.path.read_bytes() if self.content is None else self.content

    @cached_property
    def fingerprint(self) -> str:
        """Return the SHA-256 of the bytes, in hex. Equal fingerprints mean an untouched file."""
        return checksums.fingerprint(self._bytes)

    @cached_property
    def checksum(self) -> str:
        """Return the checksum of the normalised content; see :mod:`accord.seam.checksum`."""
        return checksums.checksum(self.text)

    @property
    def text(self) -> str:
        """Return the source as text."""
        return self._bytes.decode(errors="replace")


@dataclass(frozen=True, kw_only=True)
class Step:
    """
    One unit that a plan orders and a ledger records.

    Attributes:
        key: Identity.
        source: The file that declares it.
        dependencies: Steps that must be applied before it, in this store or in others.
            A name may be :data:`FIRST` or :data:`LATEST`.
        follows: Those of the dependencies that it continues: going back to one of them undoes it.
            None means: those of its own app and store.
        phase: When it runs.
        title: One line for display, from the revision's docstring or name.
        irreversible: Why it can't be undone; empty when it can.
        replaces: Steps that it stands for (a squashed Django migration).
        foundation: True for the tables of the suite itself, which go first and leave last.
        waits: How long it waits for locks and why, where it says so itself; empty where it doesn't.
        third_party: True when the file belongs to an installed distribution, so that
            an edit is an upgrade and nothing that the project's developers could restore.
    """

    key: StepKey
    source: Source
    dependencies: tuple[StepKey, ...] = ()
    follows: tuple[StepKey, ...] | None = None
    phase: Phase = Phase.EXPAND
    title: str = ""
    irreversible: str = ""
    replaces: tuple[StepKey, ...] = ()
    foundation: bool = False
    waits: str = ""
    third_party: bool = False


class Origin(enum.StrEnum):
    """How a step came to stand in its ledger."""

    APPLIED = "applied"
    """A run brought its effect about."""
    ADOPTED = "adopted"
    """A baseline found its effect there: nothing of it is ours to take away."""
    RECORDED = "recorded"
    """A person said so (`--fake`, `--trust-unproved`): nobody looked, or nothing could be looked at."""


@dataclass(frozen=True, kw_only=True)
class AppliedStep:
    """
    One line of a ledger: a step that is applied in its store.

    Attributes:
        key: Identity of the step.
        checksum: Checksum recorded with it; None when another tool applied it.
        fingerprint: Hash of the file's bytes at that time; None as above.
        applied_at: Time by the store's clock, where known.
        run_id: Run that applied it, where known.
        fence: Fencing token of that run; 0 where unknown.
        reverting: True when its revert was begun and did not end: a part of it is gone.
        how: How it came to stand there.
    """

    key: StepKey
    checksum: str | None = None
    fingerprint: str | None = None
    applied_at: datetime | None = None
    run_id: str = ""
    fence: int = 0
    reverting: bool = False
    how: Origin = Origin.APPLIED


@dataclass(frozen=True, kw_only=True)
class BegunStep:
    """
    One line of a ledger: a step that a run began, one way or the other, and did not end.

    Attributes:
        key: Identity of the step.
        direction: Which way it was going.
        done: How many of its operations stand, from the first; the one after them may have been under way.
        partly: True when a part of that one is known to stand, or may.
        run_id: Run that wrote it last.
    """

    key: StepKey
    direction: Direction = Direction.APPLY
    done: int = 0
    partly: bool = False
    run_id: str = ""

    @property
    def words(self) -> str:
        """Return what stands of it, for people."""
        if self.direction is Direction.REVERT:
            return f"its revert was begun and did not end; {_standing(self.done)}"
        more = ", and maybe a part of the next one" if self.partly else ""
        return f"begun and not ended; {_standing(self.done)}{more}"


def _standing(count: int) -> str:
    if not count:
        return "no operation is known to stand"
    return f"{counted(count, 'operation')} {'stands' if count == 1 else 'stand'}"


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """
    What a ledger holds, read at one moment.

    Attributes:
        applied: The applied steps, half reverted ones among them.
        begun: The steps that a run began and did not end: half applied ones, and half reverted ones.
    """

    applied: Mapping[StepKey, AppliedStep] = field(default_factory=dict)
    begun: Mapping[StepKey, BegunStep] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class StepOutcome:
    """
    What applying or reverting a step came to.

    Attributes:
        key: Identity of the step.
        direction: Which way it went.
        changed: Rows, documents or objects that were changed, where the store knows.
        already: True when the store held the wanted state before, and nothing was sent.
        detail: One line for display; empty when there is nothing to add.
        verified: True when the store held `checks_after` within the step's own transaction.
        origin: How an applied step came to stand in its ledger.
    """

    key: StepKey
    direction: Direction
    changed: int = 0
    already: bool = False
    detail: str = ""
    verified: bool = False
    origin: Origin = Origin.APPLIED


def _always_held() -> None:
    """Accept a lease that no other run can take over (tests, single-process tools)."""


@dataclass(frozen=True, kw_only=True)
class Lease:
    """
    The right to write, as a store sees it.

    Attributes:
        scope: What it covers: one project's migrations, one erasure step.
        owner: Who holds it, for display: host and process.
        run_id: Run that it belongs to.
        fence: Fencing token. It rises with each grant; a store refuses a lower one.
        guard: Raises :class:`~accord.errors.LeaseLost` once the lease is not ours any more.
    """

    scope: str
    owner: str
    run_id: str
    fence: int
    guard: Callable[[], None] = field(default=_always_held, compare=False, repr=False)

    def check(self) -> None:
        """
        Check that the lease is still ours. Call it between batches.

        Raises:
            LeaseLost: It ran out or was taken over.
        """
        self.guard()


class Language(enum.StrEnum):
    """In which language a rendered statement is written."""

    SQL = "sql"
    MONGO = "mongo"
    HTTP = "http"
    PYTHON = "python"


@dataclass(frozen=True, kw_only=True)
class Statement:
    """
    Something a step would send to its store.

    Attributes:
        text: The statement as it would be sent, or a sentence about it when opaque.
        language: What it is written in.
        opaque: True when the effect can't be shown without running it (Python code).
    """

    text: str
    language: Language
    opaque: bool = False


Shown = Sequence[tuple[Step, Sequence[Statement]]]
"""Steps in their order, each with what it would send."""


class Presence(enum.StrEnum):
    """What a store holds of a step's effect."""

    ABSENT = "absent"
    PARTIAL = "partial"
    DONE = "done"
    CONFLICTING = "conflicting"
    UNKNOWN = "unknown"
    """The effect leaves nothing that could be looked at (Python code)."""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """
    What was found in a store when it was asked for a step's effect.

    Attributes:
        key: Identity of the step.
        presence: The answer.
        findings: What differs from what the step leaves; an answer "done" has none but extras.
        unproved: What of the step leaves nothing that could be looked at (Python code, changed
            documents), a line each; the answer says nothing about that.
        stands: Whether anything of what was looked at is there, in whatever shape. A step that only takes
            something away is done where nothing stands at all. None where the store doesn't say.
    """

    key: StepKey
    presence: Presence
    findings: tuple[Difference, ...] = ()
    unproved: tuple[str, ...] = ()
    stands: bool | None = None
