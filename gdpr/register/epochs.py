"""
How far each store knows the register: a mark that lies in the store, and goes where its data go.

Marks are moved after the fact, in every other store before the database is told that they were. So a store
whose mark is behind what the database was told was restored, and a kill in between accuses nobody.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace

from accord import conf, lease
from accord.errors import LeaseHeld
from accord.seam.marks import KeepsMarks, MarkChanged
from accord.seam.registry import Registry, opened
from accord.seam.types import Lease
from gdpr.datamap.map import load_data_map
from gdpr.models import RegisterMark
from gdpr.register import binding

NAME = "erasures"
_RUN = "erasures"


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """
    What a store knows of the register.

    Attributes:
        register: Id of the register.
        position: The last entry that it knows of.
        head: Hash of that entry.
        replaying: The entry by which a replay began; 0 for none.
    """

    register: str
    position: int = 0
    head: str = ""
    replaying: int = 0

    def text(self) -> str:
        """Write it as a mark."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def read(cls, text: str | None, register: str) -> Epoch:
        """Read a mark; one that is not there, or of another register, knows of nothing."""
        found = cls(**json.loads(text)) if text else cls(register=register)
        return found if found.register == register else cls(register=register)


@contextmanager
def leased(run: str, wait: float = 0) -> Iterator[Lease]:
    """
    Hold the lease of the migrations, without which no store takes a mark.

    Args:
        run: Who asks, for whoever waits.
        wait: Seconds to wait for another holder.

    Raises:
        LeaseHeld: Another holds it.
    """
    settings = conf.load()
    scope = f"migrations:{settings.project}"
    with lease.hold(scope, alias=settings.coordinator, run_id=run, ttl=settings.lease_ttl, wait=wait) as held:
        yield held


def marked(stores: Registry) -> Mapping[str, KeepsMarks]:
    """Return the stores with data of people that keep marks, without the coordinating database."""
    named = {entry.store for entry in load_data_map().entries} - {conf.load().coordinator}
    found = {alias: stores[alias] for alias in stores if alias in named}
    return {
        alias: store
        for alias, store in found.items()
        if isinstance(store, KeepsMarks) and store.takes_marks()
    }


def behind(known: RegisterMark, stores: Registry) -> Mapping[str, Epoch]:
    """
    Return what the stores know of that know less than the database was told.

    Raises:
        StoreUnavailable: A store can't be asked.
    """
    told: Mapping[str, int] = known.stores
    epochs = {
        alias: Epoch.read(store.read_mark(NAME), known.register)
        for alias, store in marked(stores).items()
        if alias in told
    }
    return {alias: epoch for alias, epoch in epochs.items() if epoch.position < told[alias]}


def advance() -> bool:
    """
    Let every store know as much as the database, but those that were restored.

    Returns:
        False where migrations run, which is no matter: the next one who comes does it.
    """
    known = binding.require()
    if known.position <= min((known.stores.get(alias, 0) for alias in _aliases()), default=known.position):
        return True
    try:
        with leased(_RUN) as held, opened() as stores:
            _advance(binding.require(), stores, held)
    except (LeaseHeld, MarkChanged):
        return False
    return True


def _aliases() -> list[str]:
    with opened() as stores:
        return list(marked(stores))


def _advance(known: RegisterMark, stores: Registry, held: Lease) -> None:
    new = Epoch(register=known.register, position=known.position, head=known.head)
    left = behind(known, stores)
    told = dict(known.stores)
    for alias, store in marked(stores).items():
        if alias not in left:
            write(store, new, held)
            told[alias] = new.position
    RegisterMark.objects.filter(pk=binding.ROW).update(stores=told)


def write(store: KeepsMarks, epoch: Epoch, held: Lease) -> None:
    """Write what a store knows of, unless it knows more."""
    text = store.read_mark(NAME)
    before = Epoch.read(text, epoch.register)
    if before.position <= epoch.position:
        store.write_mark(NAME, epoch.text(), held, expected=text)


def note_replay(stores: Registry, alias: str, entry: int, held: Lease) -> None:
    """Note in a restored store by which entry its replay began."""
    store, register = marked(stores)[alias], binding.mark().register
    before = Epoch.read(store.read_mark(NAME), register)
    write(store, replace(before, replaying=entry), held)


def conclude(stores: Registry, alias: str, held: Lease) -> None:
    """Note in a store, and of it in the database, that it knows as much as the database."""
    known = binding.mark()
    write(
        marked(stores)[alias], Epoch(register=known.register, position=known.position, head=known.head), held
    )
    told = {**known.stores, alias: known.position}
    RegisterMark.objects.filter(pk=binding.ROW).update(stores=told)
