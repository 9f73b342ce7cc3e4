"""Health checks of live drift: the last look at each store, made anew when its time is over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from threading import Lock
from typing import Any

from accord import conf
from accord.clock import SystemClock, now
from accord.health.runner import Check, Finding, Level
from accord.seam.registry import opened
from accord.seam.stores import Store
from accord.words import counted, duration
from migrator.engine import live_kept, live_settings
from migrator.engine.live_kept import Grant, KeptLook
from migrator.engine.plan import Target

_OVERDUE = 2
"""Intervals after which an answer that nobody made anew says nothing any more."""
_HINT = "All of it: migrate_all --check-live"
_one_at_a_time = Lock()
"""Alembic's own files set what belongs to the whole process."""


def checks() -> Iterable[Check]:
    """Yield a check for each store."""
    for alias in conf.load().store_settings():
        yield Check(name=f"live.{alias}", look=partial(look_at_store, alias), last=partial(last_look, alias))


def last_look(alias: str) -> Iterator[Finding]:
    """Tell the last look at a store. No store is asked."""
    settings = conf.load()
    kept = live_kept.last(settings, alias)
    if kept is None:
        yield _unknown(alias, "Nobody has looked yet.")
        return
    age = _age(kept)
    if not 0 <= age < _OVERDUE * live_settings.load(settings).every:
        yield _unknown(alias, f"The last look was {duration(age)} ago.", age=age)
        return
    yield judge(alias, kept, age)


def look_at_store(alias: str) -> Iterator[Finding]:
    """Tell the last look at a store; look anew where its time is over, or a run came after it."""
    settings = conf.load()
    kept, at_work = live_kept.last(settings, alias), live_kept.grant(settings)
    if kept is not None and _counts(kept, at_work, live_settings.load(settings).every):
        yield judge(alias, kept, _age(kept))
    elif at_work.held:
        yield _unknown(alias, "A run is at work, and what it is making would look like drift.")
    else:
        yield _look(settings, alias)


def _counts(kept: KeptLook, at_work: Grant, every: float) -> bool:
    return kept.fence == at_work.fence and 0 <= _age(kept) < every


def _look(settings: conf.AccordSettings, alias: str) -> Finding:
    with opened() as stores, _turn(stores[alias]):
        looked = live_kept.look_and_keep(stores, settings, SystemClock(), Target(stores=(alias,)))
    if alias in looked.found.unasked:
        return _unknown(alias, "The store can't be asked what stands in it.", hint="")
    if alias not in looked.kept:
        return _unknown(alias, "A run was at work while the store was looked at.")
    return judge(alias, looked.kept[alias], 0)


def _turn(store: Store) -> AbstractContextManager[Any]:
    return _one_at_a_time if store.features.process_wide else nullcontext()


def judge(alias: str, kept: KeptLook, age: float) -> Finding:
    """
    Judge what a look at a store came to.

    Args:
        alias: The store.
        kept: What it came to.
        age: Seconds since then.
    """
    when = f"Looked at {duration(age)} ago" if age else "Looked at just now"
    text = f"{when}: {_said(kept)}."
    if kept.differences:
        left = kept.differences - len(kept.shown)
        text = " ".join([text, *kept.shown, *([f"And {left} more."] if left else [])])
    if kept.undeclared:
        more = ", ..." if kept.undeclared > len(kept.named) else ""
        text = f"{text} Nobody declares {', '.join(kept.named)}{more}."
    return Finding(
        name=f"live.{alias}",
        level=Level.WARN if kept.differences else Level.OK,
        message=text,
        value=kept.differences,
        threshold=1,
        age=age,
        hint=_HINT if kept.differences else "",
    )


def _said(kept: KeptLook) -> str:
    if not kept.looked:
        return "no step is applied here"
    more = f", {counted(kept.undeclared, 'undeclared thing')}" if kept.undeclared else ""
    left = f", and {counted(kept.unknown, 'thing')} could not be looked at" if kept.unknown else ""
    what = counted(kept.differences, "difference") if kept.differences else "no difference"
    return f"{counted(kept.looked, 'applied step')}, {what}{more}{left}"


def _age(kept: KeptLook) -> float:
    return (now() - kept.at).total_seconds()


def _unknown(alias: str, text: str, *, age: float | None = None, hint: str = _HINT) -> Finding:
    return Finding(name=f"live.{alias}", level=Level.UNKNOWN, message=text, age=age, hint=hint)
