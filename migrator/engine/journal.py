"""
The journal: a reporter that writes runs and their steps into PostgreSQL.

The start of a step is on record while the step goes on, in one transaction with the end of the
step before it: a kill leaves the step that was worked on as running, and no other.

Its tables are made by a migration of the suite itself, so on an empty database the journal
keeps what happens in memory until they are there. A journal that can't be written never
stops a run: the stores' ledgers are the truth.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.db import connections, models, transaction

from accord import db, process
from accord.clock import Clock
from accord.events import Event, StepNoted, StepProgressed, StepWaited
from accord.seam.types import Direction, Origin, Step, StepKey
from migrator.engine import run_trail
from migrator.engine.events import (
    RunFinished,
    RunStarted,
    StepBroke,
    StepFinished,
    StepSkipped,
    StepStarted,
)
from migrator.models import Run, RunOutcome, StepRun

_WAITS = "waits for "
_FAR = "so far "


class Journal:
    """
    Writes one run.

    Args:
        alias: The coordinating database.
        clock: Time of day for people; durations come with the events.
    """

    def __init__(self, alias: str, clock: Clock) -> None:
        self._alias = alias
        self._clock = clock
        self._run: Run | None = None
        self._positions: Mapping[StepKey, int] = {}
        self._going: dict[str, StepRun] = {}
        self._tenths: dict[str, int] = {}
        self._left = 0
        self._by: object = None
        self._recorded: set[int] = set()
        self._unsaved: list[models.Model] = []
        self._available = False
        self._over = False

    def __call__(self, event: Event) -> None:
        """Take note of one event of the run; of one that comes after its end (a step left behind), none."""
        if not self._over:
            self._take_note(event)

    def _take_note(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._begin(event)
            case StepStarted():
                self._open(event.step, event.direction)
                self._flush()
            case StepNoted() | StepWaited() | StepProgressed():
                self._tell(event)
            case StepFinished():
                self._close(event)
            case StepBroke():
                self._broke(event)
            case StepSkipped():
                self._skip(event)
            case RunFinished():
                self._end(event)

    def _begin(self, event: RunStarted) -> None:
        self._run = Run(
            id=event.run_id,
            kind=event.kind,
            environment=event.environment,
            digest=event.plan.digest,
            fence=event.fence,
            owner=process.describe(process.identity()),
            planned=len(event.plan),
            started_at=self._clock.now(),
        )
        self._positions = {step.key: place for place, step in enumerate(event.plan.steps, start=1)}
        self._left = len(event.plan)
        self._by = event.by
        self._unsaved.append(self._run)
        self._flush(witnessed=True)

    def _open(self, step: Step, direction: Direction) -> StepRun:
        begun = StepRun(
            run=self._run,
            position=self._positions[step.key],
            store=step.key.store,
            app=step.key.app,
            name=step.key.name,
            direction=direction.value,
            started_at=self._clock.now(),
        )
        self._going[str(step.key)] = begun
        self._unsaved.append(begun)
        return begun

    def _note(self, going: StepRun, text: str) -> None:
        going.detail = "\n".join(filter(None, [going.detail, text]))

    def _tell(self, event: StepNoted | StepWaited | StepProgressed) -> None:
        going = self._going.get(event.key)
        if going is None:
            return
        match event:
            case StepNoted():
                self._note(going, event.note)
            case StepWaited():
                # Shown while it lasts; what was told of the same wait before is of no use then.
                self._say(going, _WAITS, event.words)
            case StepProgressed():
                self._go_on(going, event)

    def _go_on(self, going: StepRun, event: StepProgressed) -> None:
        """Show how far a step is, at most ten times."""
        tenth = 10 * event.done // event.total if event.total else 0
        if tenth > self._tenths.get(event.key, 0):
            self._tenths[event.key] = tenth
            self._say(going, _FAR, f"{_FAR}{event.done:,} of {event.total:,}")

    def _say(self, going: StepRun, start: str, text: str) -> None:
        """Write a line at once, in place of the one that begins in the same way."""
        going.detail = "\n".join([*_without(going.detail, start), text])
        self._write_later(going)
        self._flush()

    def _close(self, event: StepFinished) -> None:
        ended = self._put_away(event.step, RunOutcome.SUCCEEDED)
        ended.seconds = event.seconds
        ended.changed = event.outcome.changed
        if event.outcome.origin is not Origin.APPLIED:
            self._recorded.add(ended.position)
        self._note(ended, event.outcome.detail)
        if event.step.foundation and event.outcome.direction is Direction.REVERT:
            # The journal's own tables may just have gone.
            self._available = False
        if self._left == 0:
            # What stores do after their last step may take its time, and is no part of that step.
            self._flush()

    def _broke(self, event: StepBroke) -> None:
        broken = self._put_away(event.step, RunOutcome.FAILED)
        broken.seconds = event.seconds
        broken.error_code, broken.error = event.error.code, event.error.message
        self._flush()

    def _skip(self, event: StepSkipped) -> None:
        self._open(event.step, event.direction)
        self._put_away(event.step, RunOutcome.SKIPPED).detail = f"needs {event.because.key}"

    def _put_away(self, step: Step, outcome: RunOutcome) -> StepRun:
        """Leave the end of a step to the next write."""
        ended = self._going.pop(str(step.key))
        self._tenths.pop(str(step.key), None)
        ended.detail = ended.detail.replace(_WAITS, "waited for ")
        if outcome is RunOutcome.SUCCEEDED:
            ended.detail = "\n".join(_without(ended.detail, _FAR))
        ended.outcome = outcome
        self._left -= 1
        self._write_later(ended)
        return ended

    def _end(self, event: RunFinished) -> None:
        if self._run is None:
            return
        for going in list(self._going.values()):
            # The run ended inside of this step, and whether the step's work stands is not known here.
            going.outcome = RunOutcome.INTERRUPTED
            self._write_later(going)
        self._over = True
        self._run.outcome = event.outcome
        self._run.finished_at = self._clock.now()
        if event.error is not None:
            self._run.error_code, self._run.error = event.error.code, event.error.message
        self._write_later(self._run)
        self._flush(witnessed=True)

    def _write_later(self, record: models.Model) -> None:
        if not any(record is waiting for waiting in self._unsaved):
            self._unsaved.append(record)

    def _flush(self, *, witnessed: bool = False) -> None:
        """
        Write what is unsaved, if the tables are there; otherwise keep it for the next time.

        Args:
            witnessed: Put it into the audit trail, too. Not while steps go on: one may hold the trail's lock.
        """
        for _attempt in (1, 2):
            try:
                self._write_unsaved(witnessed=witnessed)
                break
            except db.ERRORS:
                self._available = False
                # Dropped, perhaps, while another store worked: once more on a new connection.
                db.revive(self._alias)

    def _write_unsaved(self, *, witnessed: bool) -> None:
        if not self._available:
            self._available = tables_exist(self._alias)
        if self._available and self._unsaved:
            with transaction.atomic(using=self._alias):
                for record in self._unsaved:
                    _save(record, self._alias)
                if witnessed and self._run is not None:
                    run_trail.witness(self._run, self._alias, by=self._by, recorded=self._recorded)
            self._unsaved.clear()


def _save(record: models.Model, alias: str) -> None:
    """Write a row: one whose transaction was lost is inserted, one whose answer was lost is updated."""
    record.save(using=alias, force_insert=record._state.adding)


def _without(detail: str, start: str) -> list[str]:
    """Return the lines of what was told, but for one that is of no use any more."""
    return [line for line in detail.splitlines() if not line.startswith(start)]


def tables_exist(alias: str) -> bool:
    """Check whether the journal's tables are there: on an empty database they aren't."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [StepRun._meta.db_table])
        row = cursor.fetchone()
    return bool(row and row[0])
