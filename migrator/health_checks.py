"""Health checks of the migrations: pending, half applied and drifted steps, the lease, and live drift."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from accord import conf, lease
from accord.errors import DriftError, RevisionError
from accord.health.runner import Check, Finding, Level
from accord.identity import Identity
from accord.lease import LeaseRow
from accord.seam.marks import KeepsMarks
from accord.seam.registry import opened
from accord.seam.stores import Store
from accord.seam.types import Origin, Phase, Step
from accord.words import counted
from migrator import break_health, kept_health, live_health, partition_health, quorum_health
from migrator.engine import abandoned, outside
from migrator.engine.api import Migrations
from migrator.engine.drift import Drift
from migrator.engine.situation import Situation
from migrator.errors import LedgerOrphan

LONG_RUN = 3600.0
"""Seconds from which on a run is worth a look."""
_NAMED = 3
_PARTS = ("", ".drift", ".environment")


def checks() -> Iterable[Check]:
    """Yield the checks."""
    parts = [f"migrations.{alias}{part}" for alias in conf.load().store_settings() for part in _PARTS]
    yield Check(name="migrations", look=look_at_migrations, readiness=True, parts=parts)
    yield Check(name="lease", look=look_at_lease)
    yield from break_health.checks()
    yield from quorum_health.checks()
    yield from kept_health.checks()
    yield from live_health.checks()
    yield from partition_health.checks()


# --- what is applied ---------------------------------------------------------------------------------


def look_at_migrations() -> Iterator[Finding]:
    """Compare files and ledgers of every store."""
    with opened() as stores:
        try:
            situation = Migrations(stores).situation()
            others = outside.since(stores, situation)
        except (RevisionError, DriftError) as exc:
            yield Finding(
                name="migrations", level=Level.CRITICAL, message=str(exc), hint=exc.hint, ready=False
            )
            return
    running = bool(situation.begun) and _is_held(_lease())
    for alias in stores:
        # What another release began is none of this one's steps; the drift finding tells of it.
        begun = [one for one in situation.steps if one.key.store == alias and one.key in situation.begun]
        waiting, vouched = pending(situation, alias), recorded_on_word(situation, alias)
        found = _applied(alias, waiting, begun, running=running, vouched=vouched)
        yield _with_others(found, sorted(str(key) for key in others if key.store == alias))
        yield _drift(alias, [found for found in situation.drift if found.key.store == alias])
        yield _environment(alias, stores[alias], situation.identities.get(alias))


def _environment(alias: str, store: Store, own: Identity | None) -> Finding:
    """Judge what a store says of itself; the settings may describe another environment."""
    name, wanted = f"migrations.{alias}.environment", conf.load().environment
    if own is not None and own.environment != wanted:
        return Finding(
            name=name,
            level=Level.CRITICAL,
            message=f"It belongs to “{own.environment}”, and the settings describe “{wanted}”.",
            hint="Correct ACCORD['ENVIRONMENT'] or the store's address. Is it a copy? Then "
            "accord_environment change --reason TEXT",
            ready=False,
        )
    if own is not None:
        return Finding(name=name, level=Level.OK, message=f"It belongs to “{own.environment}”.")
    if not isinstance(store, KeepsMarks):
        text = "Its adapter keeps no marks: which environment it belongs to can't be told."
        return Finding(
            name=name, level=Level.WARN, message=text, hint="See docs/howto/write-a-store-adapter.md."
        )
    if not store.takes_marks():
        return Finding(name=name, level=Level.OK, message="No migrations run here, so it has no mark.")
    return Finding(
        name=name,
        level=Level.WARN,
        message="It isn't marked yet: settings of another environment would be believed.",
        hint="Run migrate_all once, in the environment that it belongs to.",
    )


def pending(situation: Situation, alias: str) -> Sequence[Step]:
    """List the steps of a store that take part and aren't applied."""
    steps = situation.graph.steps
    return [steps[key] for key in sorted(steps) if key.store == alias and key not in situation.done]


def recorded_on_word(situation: Situation, alias: str) -> int:
    """Count the steps of a store that stand in its ledger on a person's word, which nobody proved."""
    lines = situation.applied.values()
    return sum(line.key.store == alias and line.how is Origin.RECORDED for line in lines)


def _is_held(row: LeaseRow | None) -> bool:
    return row is not None and row.held and not row.holder_is_dead


def _applied(
    alias: str, waiting: Sequence[Step], begun: Sequence[Step], *, running: bool, vouched: int = 0
) -> Finding:
    name, count = f"migrations.{alias}", len(waiting)
    if begun and not running:
        return Finding(
            name=name,
            level=Level.CRITICAL,
            message=f"Half applied or half reverted, and no run is at it: {_some(_keys(begun))}.",
            value=count,
            threshold=1,
            hint="Run migrate_all: what was half applied goes on, what was half reverted is undone first. "
            "migrate_all --revert --step STEP undoes it as far as it went.",
            ready=_runs_without(begun),
        )
    if waiting:
        return Finding(
            name=name,
            level=Level.WARN,
            message=f"{counted(count, 'step')} pending: {_some(_keys(waiting))}.",
            value=count,
            threshold=1,
            hint="A run is at it." if running else "Run migrate_all; --plan shows what it would do.",
            ready=_runs_without(waiting),
        )
    word = f" Recorded on a person's word alone: {vouched}." if vouched else ""
    return Finding(name=name, level=Level.OK, message=f"Every step is applied.{word}", value=0, threshold=1)


def _with_others(found: Finding, others: Sequence[str]) -> Finding:
    """Tell beside what is applied which steps another tool applied; no run of ours planned them."""
    if not others or found.level is Level.CRITICAL:
        return found
    return replace(
        found,
        level=Level.WARN,
        message=f"{found.message} Applied by another tool, and by no run since the store was marked: "
        f"{_some(others)}.",
        hint=f"{found.hint} See who ran migrate or alembic by hand. If it was meant, put it on record, each "
        f"up to its last step: migrate_all --baseline --step {others[-1]}".strip(),
    )


def _runs_without(steps: Sequence[Step]) -> bool:
    """Check that the running code does without these: all but expansions come after the deploy."""
    return all(step.phase is not Phase.EXPAND for step in steps)


def _keys(steps: Sequence[Step]) -> Sequence[str]:
    return sorted(str(step.key) for step in steps)


def _drift(alias: str, drift: Sequence[Drift]) -> Finding:
    name = f"migrations.{alias}.drift"
    ours = [found for found in drift if not found.tolerable]
    if ours:
        return Finding(
            name=name,
            level=Level.CRITICAL,
            message=f"{ours[0].error}{_more(ours)}",
            value=len(ours),
            threshold=1,
            hint=ours[0].error.hint,
        )
    open_matters = [found for found in drift if _is_open(found)]
    if open_matters:
        # The release that runs has all that its own files declare, so it goes on taking requests.
        return Finding(
            name=name,
            level=Level.WARN,
            message=f"{_told(open_matters[0])}{_more(open_matters)}",
            value=len(open_matters),
            threshold=1,
            hint=open_matters[0].error.hint,
        )
    settled = [found for found in drift if found.acceptance is not None]
    # What an upgraded package did to its own history, the project can't mend: a note, not an alarm.
    foreign = len(drift) - len(settled)
    notes = f" ({counted(foreign, 'step')} of other packages differ.)" if foreign else ""
    message = f"Files and ledger agree.{notes}"
    if settled:
        message = (
            f"Files and ledger agree, but for what was accepted.{notes} {_told(settled[0])}{_more(settled)}"
        )
    return Finding(name=name, level=Level.OK, message=message, value=0, threshold=1)


def _is_open(found: Drift) -> bool:
    """Check for what a person has to look at again: another release, a lost app, an acceptance that ends."""
    if found.acceptance is not None:
        return found.acceptance.has_end
    return isinstance(found.error, LedgerOrphan)


def _told(found: Drift) -> str:
    """Return what disagrees, and under which request that was accepted; commands name the person."""
    if found.acceptance is None:
        return found.error.message
    return f"{found.error.message} Accepted under {found.acceptance.reference} {found.acceptance.until}."


def _more(found: Sequence[Drift]) -> str:
    return f" And {len(found) - 1} more." if len(found) > 1 else ""


def _some(keys: Sequence[str]) -> str:
    more = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
    return f"{', '.join(keys[:_NAMED])}{more}"


# --- the lease ---------------------------------------------------------------------------------------


def look_at_lease() -> Iterator[Finding]:
    """See who holds the lease of the migrations, and for how long; a run without one is closed."""
    abandoned.close_dead(conf.load())
    yield judge_lease(_lease())


def _lease() -> LeaseRow | None:
    settings = conf.load()
    return lease.read(settings.coordinator, abandoned.lease_scope(settings))


def judge_lease(row: LeaseRow | None) -> Finding:
    """
    Judge the row of the lease.

    Args:
        row: What stands in the coordinating database; None when no run ever held it.
    """
    if row is None or not row.held:
        return Finding(
            name="lease", level=Level.OK, message="No run holds it.", value=0, unit="seconds",
            threshold=LONG_RUN,
        )  # fmt: skip
    holder = f"The run {row.run_id} holds it ({row.owner})"
    if row.holder_is_dead:
        text = f"{holder}, and its process is gone."
        return _held(row, Level.WARN, text, "Run migrate_all: it takes over and continues.")
    if row.age >= LONG_RUN:
        return _held(row, Level.WARN, f"{holder} for long.", "See how far it is: the admin lists the runs.")
    return _held(row, Level.OK, f"{holder}.", "")


def _held(row: LeaseRow, level: Level, message: str, hint: str) -> Finding:
    return Finding(
        name="lease",
        level=level,
        message=message,
        value=row.age,
        unit="seconds",
        threshold=LONG_RUN,
        age=row.age,
        hint=hint,
    )
