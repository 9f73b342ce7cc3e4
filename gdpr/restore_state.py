"""How restores stand: the register, what stores know of it, and whom a restore brought back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from accord import conf
from accord.errors import AccordError, ConfigurationError
from accord.seam.registry import Registry, opened
from accord.wording import explained
from gdpr import replaying
from gdpr.errors import RegisterError
from gdpr.models import RegisterMark
from gdpr.register import binding, epochs, named, restored, soundness
from gdpr.replaying import Replayed

STATES = ("even", "behind", "restored", "replaying", "away")
"""Where a store may stand towards the register."""
_SHOWN = 50
"""People of a store that are listed, by the references of their erasures."""


@dataclass(frozen=True, kw_only=True)
class Register:
    """
    The register.

    Attributes:
        where: The file.
        last: Number of its last entry; 0 for none.
        at: When that was made.
        done: How many erasures it says are complete; None where it can't be relied on.
        kept: How many of its entries still lead to a person.
        error: Why it can't be relied on.
    """

    where: str
    last: int = 0
    at: datetime | None = None
    done: int | None = None
    kept: int = 0
    error: AccordError | None = None

    @property
    def trouble(self) -> str:
        """Why it can't be relied on, in the reader's language; empty where it can."""
        return explained(self.error) if self.error else ""


@dataclass(frozen=True, kw_only=True)
class StoreLine:
    """
    What a store knows.

    Attributes:
        alias: The store.
        knows: The last entry of the register that it knows; None where it can't be asked.
        told: What the database was told that it knows.
        state: One of :data:`STATES`.
        error: Why it can't be asked.
    """

    alias: str
    knows: int | None
    told: int
    state: str
    error: AccordError | None = None

    @property
    def trouble(self) -> str:
        """Why it can't be asked, in the reader's language; empty where it can."""
        return explained(self.error) if self.error else ""


@dataclass(frozen=True, kw_only=True)
class Brought:
    """
    Whom the restore of a store brought back.

    Attributes:
        found: The store, with counts.
        rows: The references of erasures, and the code of why each waits; empty for those that need nobody.
        asked: How many of them wait for an answer.
        more: How many aren't listed.
    """

    found: Replayed
    rows: Sequence[tuple[str, str]]
    asked: int
    more: int


@dataclass(frozen=True, kw_only=True)
class RestoreState:
    """
    How everything stands.

    Attributes:
        register: The register.
        stores: What each store knows of it; none where it can't be relied on.
        brought: Whom restores brought back; nobody knows where a store can't be asked.
    """

    register: Register
    stores: Sequence[StoreLine]
    brought: Sequence[Brought]

    @property
    def away(self) -> bool:
        """Whether a store can't be asked."""
        return any(line.error for line in self.stores)

    @property
    def waits_to_begin(self) -> bool:
        """Whether a store was restored whose replay nobody has begun."""
        return any(line.state == "restored" for line in self.stores)

    @property
    def begun(self) -> bool:
        """Whether a replay has begun."""
        return any(line.state == "replaying" for line in self.stores)


def look() -> RestoreState:
    """Look how everything stands. Nothing is changed; what is away is said to be."""
    register = _register()
    with opened() as stores:
        lines = [] if register.error else _lines(stores)
    away = any(line.error for line in lines)
    looked = [] if register.error or away else replaying.look()
    return RestoreState(register=register, stores=lines, brought=[_brought(one) for one in looked])


def _register() -> Register:
    where = str(conf.load().erasure_register)
    try:
        file = named.register()
        where = file.place
        binding.require()
        state, last = soundness.checked(file), file.last()
    except (RegisterError, ConfigurationError) as exc:
        return Register(where=where, error=exc)
    if last is None:
        return Register(where=where, done=0)
    return Register(where=where, last=last.seq, at=last.draft.at, done=state.done, kept=state.kept)


def _lines(stores: Registry) -> Sequence[StoreLine]:
    known, own = binding.mark(), restored.database()
    state = "even" if own is None else "replaying" if own.replaying else "restored"
    first = StoreLine(alias=conf.load().coordinator, knows=known.position, told=known.position, state=state)
    return [first, *(_line(alias, known, stores) for alias in epochs.marked(stores))]


def _line(alias: str, known: RegisterMark, stores: Registry) -> StoreLine:
    told = known.stores.get(alias, 0)
    try:
        store = epochs.marked(stores)[alias]
        epoch = epochs.Epoch.read(store.read_mark(epochs.NAME), known.register)
    except AccordError as exc:
        return StoreLine(alias=alias, knows=None, told=told, state="away", error=exc)
    if epoch.position < told:
        state = "replaying" if epoch.replaying else "restored"
    else:
        state = "even" if epoch.position >= known.position else "behind"
    return StoreLine(alias=alias, knows=epoch.position, told=told, state=state)


def _brought(found: Replayed) -> Brought:
    rows = sorted(found.waiting.items(), key=lambda row: row[1] != replaying.ASKED)
    return Brought(
        found=found,
        rows=rows[:_SHOWN],
        asked=sum(why == replaying.ASKED for why in found.waiting.values()),
        more=max(len(rows) - _SHOWN, 0),
    )
