"""
One worker: takes a slice, does batch after batch of it, and the next one.

It may die between any two lines. What a batch writes to the coordinating database counts together with its
cursor, or not at all; what it writes elsewhere may be written once more, by who takes the slice afterwards.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace

from django.db import connections, transaction

from accord import conf, db, process
from accord.batches import leases, postgres
from accord.batches.leases import Held, SliceLost, Stand
from accord.batches.sizes import Clock, TooMuchAtOnce
from accord.batches.work import Done, Erased, Portion, Work, nobody
from accord.erased import tombstones
from accord.errors import AccordError, Interrupted, LeaseError
from accord.events import Reporter, StepNoted, silent
from accord.secrets.redact import first_line

LEASE = 60.0
"""Seconds for which a slice is its worker's; each batch renews it."""
LOOK_EVERY = 1.0
"""Seconds between two looks at the load of a store, by whichever worker."""
_NAP = 0.2
_OURS = """
SELECT set_config('idle_in_transaction_session_timeout', %s, true), set_config('application_name', %s, true)
"""


@dataclass(kw_only=True)
class Worker:
    """
    One worker of a job.

    Attributes:
        job: Reference of the job.
        name: Of the job, for messages.
        work: What is to be done.
        stop: Asked between two batches; true gives the slice back.
        beat: Called between two batches.
        report: Hears what it waits for, and what went wrong.
        ttl: Seconds of a lease.
        owner: Who works.
        clock: Seconds that pass, also while the process is frozen.
        sleep: Waits.
    """

    job: str
    name: str
    work: Work
    stop: Callable[[], bool] = lambda: False
    beat: Callable[[], object] = lambda: None
    report: Reporter = silent
    ttl: float = LEASE
    owner: str = field(default_factory=process.identity)
    clock: Clock = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        self._version = self.work.version
        self._told = ""

    def run(self) -> int:
        """
        Work until no slice can be taken, or somebody asks to stop.

        Returns:
            How many slices were taken.
        """
        taken = 0
        while not self.stop():
            held = leases.claim(self.job, version=self._version, owner=self.owner, ttl=self.ttl)
            if held is None:
                break
            taken += 1
            if held.failed:
                self._tell(f"slice {held.number} is given up: its workers ended again and again.")
            else:
                self._work_on(held)
        return taken

    def _work_on(self, held: Held) -> None:
        """Do a slice, or as much of it as may be; whatever happens, somebody can take it again."""
        going: Held | None = held
        try:
            stand = leases.renew(held, ttl=self.ttl)
            while going is not None and self._may_go_on(going, stand):
                held = going
                going, stand = self._next(held)
        except SliceLost:
            self._tell(f"the lease of slice {held.number} went to another worker.")
        except (LeaseError, Interrupted):
            # Not the slice's doing: whoever lets us work doesn't any more.
            leases.give_back(held)
            raise
        except Exception as exc:  # noqa: BLE001 - one slice of a job fails, whatever it is, and others go on
            self._give_back(held, exc)

    def _give_back(self, held: Held, error: Exception) -> None:
        # What an error says may be a value of the row that it is about.
        said = "" if self.work.subject and not isinstance(error, AccordError) else f": {first_line(error)}"
        text = f"{type(error).__name__}{said}"
        self._tell(f"slice {held.number} failed: {text}")
        db.revive(conf.load().coordinator)
        leases.give_back(held, error=text)

    # --- between two batches -------------------------------------------------------------------------

    def _may_go_on(self, held: Held, stand: Stand) -> bool:
        """Wait while the store is to be left alone; give the slice back where it isn't to go on."""
        while True:
            self.beat()
            if not leases.may_run(stand, self._version) or self.stop():
                leases.give_back(held)
                return False
            if stand.looked_ago >= LOOK_EVERY and leases.take_look(self.job, every=LOOK_EVERY):
                pressure = self.work.pressure()
                if pressure.seconds or stand.why:
                    leases.hold_back(self.job, pressure.seconds, pressure.why)
            elif stand.seconds <= 0:
                return True
            else:
                self._tell(f"waits: {stand.why}.")
                self.sleep(min(stand.seconds, _NAP))
            stand = leases.renew(held, ttl=self.ttl)

    def _tell(self, text: str) -> None:
        if text != self._told:
            self._told = text
            self.report(StepNoted(key=self.name, note=text))

    # --- a batch -------------------------------------------------------------------------------------

    def _next(self, held: Held) -> tuple[Held | None, Stand]:
        """Do a batch, and return what is left of the slice; None when it is done."""
        sizes = self.work.sizes
        while True:
            began = self.clock()
            try:
                return self._done(held, began)
            except TooMuchAtOnce:
                if held.size == 1:
                    raise
                held = replace(held, size=sizes.smaller(held.size))
                leases.renew(held, ttl=self.ttl)

    def _done(self, held: Held, began: float) -> tuple[Held | None, Stand]:
        with self._transaction(), self._sparing() as erased:
            portion = Portion(
                job=held.job,
                number=held.number,
                fence=held.fence,
                bounds=held.bounds,
                cursor=held.cursor,
                size=held.size,
                erased=erased,
            )
            done = self.work.batch(portion)
            spent = self.clock() - began
            size = self.work.sizes.following(held.size, spent, done.bytes)
            stand = leases.keep(held, done, size=size, seconds=spent, ttl=self.ttl)
        return _left(held, done, size), stand

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Make a batch and its cursor one transaction, where the batch is written to the same database."""
        alias = conf.load().coordinator
        if self.work.database != alias:
            yield
            return
        with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
            # Else a process that is frozen now would keep its rows from who takes the slice afterwards.
            cursor.execute(_OURS, [str(int(self.ttl * 1000)), postgres.NAME])
            yield

    def _sparing(self) -> AbstractContextManager[Erased]:
        if self.work.subject is None:
            return nullcontext(nobody)
        return tombstones.sparing(self.work.subject)


def _left(held: Held, done: Done, size: int) -> Held | None:
    return None if done.cursor is None else replace(held, cursor=done.cursor, size=size)
