"""
The last look at each live store, kept in a file of its own: what it came to, when, and after which run.

It is beside the project and not in a database, because it says how the databases are. A file that is gone,
broken, or about another server counts as no look at all.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from threading import get_ident
from typing import Any

from django.db import connections
from django.utils.crypto import salted_hmac

from accord import conf, isolation, lease
from accord.clock import Clock
from accord.seam.registry import Registry
from accord.secrets.redact import redact
from migrator.engine import abandoned, live_settings
from migrator.engine.live import LiveLook, look_live
from migrator.engine.live_snapshot import held_against, kin
from migrator.engine.plan import Target
from migrator.engine.situation import read_situation

SCHEMA = "accord.live_answer/1"
_SHOWN = 3
_NUMBERS = ("fence", "looked", "differences", "undeclared", "unknown")


@dataclass(frozen=True, kw_only=True)
class KeptLook:
    """
    What the last look at one store came to.

    Attributes:
        at: When it was made.
        fence: Fencing token of the run before it: after another run it says nothing.
        place: Which server and database it was about, so that another one is known; tells nothing of them.
        looked: How many applied steps the store was held against.
        differences: How many things differ.
        undeclared: How many things stand there that no step declares.
        unknown: How many could not be looked at.
        shown: The first differences, in words.
        named: The names of the first things that no step declares.
    """

    at: datetime
    fence: int
    place: str
    looked: int
    differences: int
    undeclared: int
    unknown: int
    shown: tuple[str, ...] = ()
    named: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Grant:
    """
    Where the lease of the migrations stands.

    Attributes:
        fence: Fencing token of the last run, 0 where none ever was.
        held: Whether that run is at work.
    """

    fence: int
    held: bool


def grant(settings: conf.AccordSettings) -> Grant:
    """
    Ask who holds the lease.

    Raises:
        StoreUnavailable: The coordinating database can't be reached.
    """
    row = lease.read(settings.coordinator, abandoned.lease_scope(settings))
    if row is None:
        return Grant(fence=0, held=False)
    return Grant(fence=row.fence, held=row.held and not row.holder_is_dead)


@dataclass(frozen=True, kw_only=True)
class Looked:
    """
    A look, and what is kept of it.

    Attributes:
        found: What was found.
        kept: By store; empty where a run was at work meanwhile, or where only an app was looked at.
    """

    found: LiveLook
    kept: Mapping[str, KeptLook]


def look_and_keep(stores: Registry, settings: conf.AccordSettings, clock: Clock, target: Target) -> Looked:
    """
    Compare the live stores with their applied steps, and keep what was found of each whole store.

    Args:
        stores: The stores by alias.
        settings: Settings of the suite.
        clock: Time of day.
        target: Which stores or app.

    Raises:
        UnknownApp, UnknownStore: The target matches nothing.
        StoreUnavailable: A store can't be reached.
    """
    before = grant(settings)
    found = _looked(stores, settings, target)
    if before.held or target.app or grant(settings) != before:
        return Looked(found=found, kept={})
    at = clock.now()
    kept = {alias: _kept(settings, alias, found, at, before.fence) for alias in found.looked_in}
    for alias, look in kept.items():
        keep(settings, alias, look)
    return Looked(found=found, kept=kept)


def _looked(stores: Registry, settings: conf.AccordSettings, target: Target) -> LiveLook:
    wanted = live_settings.load(settings)
    aliases = kin(stores, target.stores) if wanted.reviewed else target.stores
    situation = read_situation(stores, (*aliases, settings.coordinator) if target.stores else ())
    found = look_live(stores, situation, target, wanted)
    if wanted.reviewed is None:
        return found
    return held_against(wanted.reviewed, found, stores, situation, target)


def _kept(settings: conf.AccordSettings, alias: str, found: LiveLook, at: datetime, fence: int) -> KeptLook:
    things = [one.thing for store, one in found.undeclared if store == alias]
    texts = [one.difference.text for one in found.differences if one.store == alias]
    return KeptLook(
        at=at,
        fence=fence,
        place=_place(settings, alias),
        looked=found.looked_in[alias],
        differences=len(texts),
        undeclared=len(things),
        unknown=sum(key.store == alias for key, _ in found.unknown),
        shown=tuple(redact(text) for text in texts[:_SHOWN]),
        named=tuple(things[:_SHOWN]),
    )


def last(settings: conf.AccordSettings, alias: str) -> KeptLook | None:
    """
    Read the last look at a store.

    Args:
        settings: Settings of the suite.
        alias: The store.

    Returns:
        It, or None where none is kept that is about the server and database of the settings.
    """
    try:
        found = _parsed(json.loads(_file(settings, alias).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return found if found.place == _place(settings, alias) else None


def keep(settings: conf.AccordSettings, alias: str, found: KeptLook) -> None:
    """
    Keep a look. Where the file can't be written, the next one who asks looks again.

    Args:
        settings: Settings of the suite.
        alias: The store.
        found: What was found.
    """
    path = _file(settings, alias)
    document = {"schema": SCHEMA, "store": alias, **asdict(found), "at": found.at.isoformat()}
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, json.dumps(document))


def _replace(path: Path, text: str) -> None:
    """Write in one act: whoever reads meanwhile, or a kill, meets the old answer or the new one."""
    draft = path.with_name(f"{path.name}.{os.getpid()}-{get_ident()}")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _parsed(document: Mapping[str, Any]) -> KeptLook:
    if document["schema"] != SCHEMA:
        raise ValueError(document["schema"])
    at = datetime.fromisoformat(document["at"])
    if at.tzinfo is None:
        raise ValueError(document["at"])
    numbers = {name: int(document[name]) for name in _NUMBERS}
    shown, named = (tuple(map(str, document[name])) for name in ("shown", "named"))
    found = KeptLook(at=at, place=str(document["place"]), **numbers)  # type: ignore[arg-type]  # of whole numbers
    return replace(found, shown=shown, named=named)


def _file(settings: conf.AccordSettings, alias: str) -> Path:
    return live_settings.load(settings).folder / f"{alias}.json"


def _place(settings: conf.AccordSettings, alias: str) -> str:
    """Make a mark of which server and database a store is; by a secret, since options hold passwords."""
    store = settings.store_settings()[alias]
    database = connections.databases.get(alias, {})
    named = [str(database.get(name, "")) for name in ("ENGINE", "HOST", "PORT", "NAME")]
    ignored = live_settings.load(settings).ignore
    options = sorted((name, repr(value)) for name, value in isolation.options_of(store).items())
    text = repr([settings.project, settings.environment, store.backend, named, options, ignored])
    return salted_hmac("accord.live", text, secret=conf.secret_keys()[0], algorithm="sha256").hexdigest()[:32]
