"""Health checks of the kernel: every store answers, the audit trail is whole, the disk has room."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from django.db import connections

from accord import conf, guards
from accord.errors import StoreError, StoreUnavailable
from accord.health.runner import Check, Finding, Level
from accord.seam.registry import opened
from accord.seam.stores import StoreInfo

SLOW = 2.0
"""Seconds from which on a store that answers is worth a warning; loading its driver and connecting count."""

GIB = 2**30
LOW, SCARCE = (0.10, 10 * GIB), (0.05, 2 * GIB)
"""Free share and free bytes below which, both at once, a disk is low and where it is critical."""


def checks() -> Iterable[Check]:
    """Yield the checks: one a store, the audit trail, the guards of evidence, jobs in batches, the disk."""
    for alias in conf.load().store_settings():
        yield Check(name=f"store.{alias}", look=partial(look_at_store, alias), readiness=True)
    yield Check(name="audit", look=look_at_audit)
    yield Check(name="audit.heads", look=look_at_heads)
    yield Check(name="guards", look=look_at_guards, parts=[f"guards.{label}" for label in guards.declared()])
    yield Check(name="batches", look=look_at_batches, parts=["batches.stuck", "batches.failed"])
    yield Check(name="disk", look=look_at_disk, parts=["disk.project", "disk.data"])


# --- stores ------------------------------------------------------------------------------------------


def look_at_store(alias: str) -> Iterator[Finding]:
    """Ping a store, and measure how long that takes."""
    name = f"store.{alias}"
    started = time.monotonic()
    with opened() as stores:
        try:
            info = stores[alias].ping()
        except (StoreUnavailable, StoreError) as exc:
            yield Finding(name=name, level=Level.CRITICAL, message=str(exc), hint=exc.hint, unit="seconds")
            return
        yield _answered(name, info, time.monotonic() - started)


def _answered(name: str, info: StoreInfo, seconds: float) -> Finding:
    what = " ".join(part for part in (info.kind, info.version, info.detail and f"({info.detail})") if part)
    slow = seconds >= SLOW
    return Finding(
        name=name,
        level=Level.WARN if slow else Level.OK,
        message=f"{what} answers in {seconds * 1000:.0f} ms.",
        value=seconds,
        unit="seconds",
        threshold=SLOW,
        hint="See its load and the network between." if slow else "",
    )


# --- the audit trail ---------------------------------------------------------------------------------


def look_at_audit() -> Iterator[Finding]:
    """Check the newest events of the audit trail against their hashes and a signed head."""
    from accord.audit.verification import verify_tail

    report = verify_tail()
    if report.intact:
        extent = f"events {report.first} to {report.last}" if report.last else "nothing was recorded yet"
        yield Finding(
            name="audit",
            level=Level.OK,
            message=f"The newest part of the audit trail is intact: {extent}.",
            value=0,
            threshold=1,
        )
        return
    more = len(report.problems) - 1 + report.more
    others = f" And {more} more." if more else ""
    yield Finding(
        name="audit",
        level=Level.CRITICAL,
        message=f"The audit trail is not intact. {report.problems[0].text}{others}",
        value=more + 1,
        threshold=1,
        hint="Keep the database and the signed heads as they are, and run audit_verify --full.",
    )


def look_at_heads() -> Iterator[Finding]:
    """Ask whether every place of signed heads can be written; without them a trail is cut unseen."""
    from accord.audit import head_places, signed_heads

    obstacle = signed_heads.obstacle()
    text = "Signed heads can be written outside of the database."
    if obstacle:
        text = (
            f"Signed heads can't be written ({obstacle}): nothing outside the database tells of new events."
        )
    yield Finding(
        name="audit.heads",
        level=Level.WARN if obstacle else Level.OK,
        message=text,
        value=float(bool(obstacle)),
        threshold=1,
        hint=head_places.MOVE if obstacle else "",
    )


# --- what protects evidence --------------------------------------------------------------------------


def look_at_guards() -> Iterator[Finding]:
    """Ask the coordinating database whether each trigger and check of evidence stands, app by app."""
    alias = conf.load().coordinator
    for label, wanted in guards.declared().items():
        if absent := wanted.absent_tables(connections[alias]):
            yield _unguarded(label, absent)
        else:
            yield _guarded(label, wanted.gone(connections[alias]), alias)


def _unguarded(label: str, absent: Sequence[str]) -> Finding:
    text = f"There are no tables yet to be protected: {', '.join(absent)}."
    return Finding(name=f"guards.{label}", level=Level.UNKNOWN, message=text, hint="Run migrate_all.")


def _guarded(label: str, missing: Sequence[str], alias: str) -> Finding:
    text = "Every trigger and check that protects evidence stands."
    if missing:
        text = f"Triggers or checks that protect evidence are gone, off or changed: {', '.join(missing)}."
    restore = f"manage.py sqlguards | manage.py dbshell --database {alias}"
    return Finding(
        name=f"guards.{label}",
        level=Level.CRITICAL if missing else Level.OK,
        message=text,
        value=len(missing),
        threshold=1,
        hint=f"Find out who changed them, then put them back: {restore}" if missing else "",
    )


# --- jobs in batches -----------------------------------------------------------------------------------


def look_at_batches() -> Iterator[Finding]:
    """Ask for jobs that nobody works on, and for those that have failed."""
    from accord.batches.health import look_at_batches as look

    yield from look()


# --- disk --------------------------------------------------------------------------------------------


def look_at_disk() -> Iterator[Finding]:
    """Report how much room there is beside the project, and where its signed heads and own data go."""
    base = conf.base_dir()
    data = (base / conf.load().audit_checkpoints).parent
    yield _room("disk.project", base, "of the project")
    yield _room("disk.data", _existing(data), "of the signed heads of the audit trail")


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that is there already."""
    return next(found for found in (folder, *folder.parents) if found.is_dir())


def _room(name: str, folder: Path, whose: str) -> Finding:
    try:
        total, _, free = shutil.disk_usage(folder)
    except OSError as exc:
        text = f"The folder {whose} can't be looked at: {exc.strerror}."
        return Finding(name=name, level=Level.UNKNOWN, message=text, unit="bytes")
    level = disk_level(free, total)
    share, least = SCARCE if level is not Level.OK else LOW
    return Finding(
        name=name,
        level=level,
        message=f"{free / GIB:.1f} GiB ({free / total:.0%}) are free on the disk {whose}.",
        value=free,
        unit="bytes",
        threshold=min(share * total, least),
        hint="" if level is Level.OK else "Make room: a full disk stops servers in the middle of a write.",
    )


def disk_level(free: int, total: int) -> Level:
    """
    Judge free space. A share alone would cry on big disks, a number alone on small ones.

    Args:
        free: Bytes.
        total: Bytes.
    """
    if free < min(SCARCE[0] * total, SCARCE[1]):
        return Level.CRITICAL
    return Level.WARN if free < min(LOW[0] * total, LOW[1]) else Level.OK
