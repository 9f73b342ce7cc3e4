"""Health check of MongoDB: who of the replica set is there, and how far behind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from accord import conf
from accord.errors import AccordError, StoreRefused
from accord.health.runner import Check, Finding, Level
from accord.seam.registry import opened
from mongo_migrations.store import MongoStore

LAG = 10.0
"""Seconds that a secondary may be behind the primary."""

_PRIMARY, _SECONDARY, _ARBITER = 1, 2, 7
_GOOD = frozenset({_PRIMARY, _SECONDARY, _ARBITER})


def checks() -> Iterable[Check]:
    """Yield a check for each store of this package."""
    package = f"{__package__}."
    for alias, settings in conf.load().store_settings().items():
        if settings.backend.startswith(package):
            yield Check(name=f"replica.{alias}", look=partial(look_at_replica, alias))


def look_at_replica(alias: str) -> Iterator[Finding]:
    """Ask the replica set about its members; a user without that right asks for the primary only."""
    name = f"replica.{alias}"
    with opened() as stores:
        store = stores[alias]
        if not isinstance(store, MongoStore):
            return
        try:
            status = store.replica_status()
        except StoreRefused:
            # To have reached a primary that takes writes is what can be told without the right.
            yield Finding(
                name=name,
                level=Level.OK,
                message="A primary answers; who else is there needs the role clusterMonitor.",
            )
            return
        except AccordError as exc:
            yield Finding(name=name, level=Level.UNKNOWN, message=str(exc), hint=exc.hint)
            return
    yield judge(name, status)


def judge(name: str, status: Mapping[str, Any]) -> Finding:
    """
    Judge what a replica set says of itself.

    Args:
        name: Of the finding.
        status: Answer to `replSetGetStatus`; empty for a server that stands alone or a router.
    """
    members: Sequence[Mapping[str, Any]] = status.get("members", ())
    if not members:
        return Finding(name=name, level=Level.OK, message="There is no replica set to ask.")
    missing = [member for member in members if member["state"] not in _GOOD]
    behind = _lag(members)
    level, hint = _level(members, missing, behind)
    states = ", ".join(f"{member['name']} {str(member['stateStr']).lower()}" for member in members)
    return Finding(
        name=name,
        level=level,
        message=f"{status.get('set', 'replica set')}: {states}.",
        value=behind,
        unit="seconds",
        threshold=LAG,
        hint=hint,
    )


def _level(
    members: Sequence[Mapping[str, Any]], missing: Sequence[Mapping[str, Any]], behind: float
) -> tuple[Level, str]:
    if not any(member["state"] == _PRIMARY for member in members):
        return Level.CRITICAL, "There is no primary, so nothing can be written. Bring members back."
    if missing:
        return Level.WARN, "Bring the missing members back: one more that fails may stop all writes."
    if behind >= LAG:
        return Level.WARN, "A secondary is behind; see its load, its disk and the network to it."
    return Level.OK, ""


def _lag(members: Sequence[Mapping[str, Any]]) -> float:
    """Return the seconds that the last of the secondaries is behind the primary."""
    newest: list[datetime] = [member["optimeDate"] for member in members if member["state"] == _PRIMARY]
    if not newest:
        return 0.0
    others: list[datetime] = [member["optimeDate"] for member in members if member["state"] == _SECONDARY]
    return max([(newest[0] - there).total_seconds() for there in others] + [0.0])
