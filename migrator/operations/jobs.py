"""Jobs in batches, begun by a migration and asked for by a later one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import router, transaction
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from accord import conf, isolation
from accord.batch_models import BatchJob, JobState, Place
from accord.batches import asking, here, jobs
from accord.batches.errors import BatchesUnfinished
from accord.batches.settings import Workers, configured
from accord.errors import StoreUnavailable, UnknownTarget
from accord.events import Event, StepNoted, StepProgressed
from migrator.operations.base import refuse_transaction
from migrator.relational import hearing


class _AboutJob(Operation):
    """An operation that changes no table: what it asks for stands in the jobs of the project."""

    reduces_to_sql = False
    reversible = True

    def __init__(self, name: str) -> None:
        self.name = name

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Leave the state alone."""

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Leave what is done."""

    def _is_meant(self, app_label: str, editor: Any) -> bool:
        """Return whether the database of a migration is one where its app belongs."""
        return not editor.collect_sql and bool(router.allow_migrate(editor.connection.alias, app_label))


class BeginBatches(_AboutJob):
    """
    Begin a job in batches, which outlives the run: on the workers of the project, where it has some.

    Where it has none, `batch_jobs run NAME` does it. Undone, the job is forgotten where it stands; what it
    has done stays.

    Args:
        name: Of the job; no other job has it.
        kind: Of the work.
        arguments: Of the work, as JSON.
        workers: How many are asked for.
    """

    def __init__(
        self, name: str, kind: str, arguments: Mapping[str, Any] | None = None, *, workers: int = 1
    ) -> None:
        super().__init__(name)
        self.kind = kind
        self.arguments = dict(arguments or {})
        self.workers = workers

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return what it is made of."""
        said = {"workers": self.workers} if self.workers > 1 else {}
        return type(self).__qualname__, [self.name, self.kind, self.arguments], said

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Begin it, and ask for workers once that is committed."""
        if not self._is_meant(app_label, schema_editor):
            return
        # Tests have databases of their own, and the workers of a project know nothing of them.
        workers = None if isolation.is_testing() else configured()
        place = Place.CELERY if workers else Place.HERE
        job = jobs.start(self.name, self.kind, self.arguments, place=place, workers=self.workers)
        if workers is not None:
            transaction.on_commit(partial(_ask, job, workers), using=conf.load().coordinator)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Forget it: whoever works on it is refused its next batch."""
        if self._is_meant(app_label, schema_editor):
            jobs.forget(self.name)

    def describe(self) -> str:
        """Say what it is, for people."""
        return f"Begin the job “{self.name}”"

    @property
    def migration_name_fragment(self) -> str:
        """Return a part of a file's name."""
        return f"begin_{_word(self.name)}"


class RequireBatches(_AboutJob):
    """
    Go on only once a job in batches is done. What is left is done here, where that is little.

    For a migration with `atomic = False`, of the release whose code relies on the job.

    Args:
        name: Of the job.
        here: Rows up to which what is left is done here; where nobody knows how many they are, it isn't.
    """

    atomic = False
    goes_on = True

    def __init__(self, name: str, *, here: int = 10_000) -> None:
        super().__init__(name)
        self.here = here

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return what it is made of."""
        return type(self).__qualname__, [self.name], {"here": self.here}

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Look, and do what is left if it is little."""
        if not self._is_meant(app_label, schema_editor):
            return
        refuse_transaction(self, schema_editor)
        job = jobs.find_named(self.name)
        if job is None:
            raise UnknownTarget(
                f"No migration has begun the job “{self.name}”.",
                hint="Let this migration depend on the one with BeginBatches.",
            )
        if job.state != JobState.DONE:
            self._finish(job)

    def _finish(self, job: BatchJob) -> None:
        far = jobs.progress(job)
        left = 0 if not far.open else None if far.expected is None else far.expected - far.rows
        if job.state != JobState.RUNNING or left is None or left > self.here:
            rows = "an unknown number of rows" if left is None else f"about {left:,.0f} rows"
            raise BatchesUnfinished(
                f"The job “{job.name}” is {job.state}, with {rows} left, and this release relies on it.",
                hint="Do it first: batch_jobs run NAME. Then run this again.",
            )
        here.run(job, report=_report)

    def describe(self) -> str:
        """Say what it is, for people."""
        return f"Require that the job “{self.name}” is done"

    @property
    def migration_name_fragment(self) -> str:
        """Return a part of a file's name."""
        return f"require_{_word(self.name)}"


def _ask(job: BatchJob, workers: Workers) -> None:
    try:
        asking.ask(job, workers)
    except StoreUnavailable:
        # The job is begun, and that is what the migration is about; whoever tends jobs asks again.
        return


def _report(event: Event) -> None:
    if isinstance(event, StepProgressed):
        hearing.check()
        hearing.progressed(event.done, event.total)
    elif isinstance(event, StepNoted):
        hearing.noted(event.note)


def _word(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name.lower())
