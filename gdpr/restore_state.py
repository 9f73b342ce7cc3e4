"""How restores stand: the register, what stores know of it, and whom a restore brought back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from accord import conf
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
