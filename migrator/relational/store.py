"""A database of Django's settings as a store. Django's migrations go through it as they are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from accord import conf, db
from accord.errors import ConfigurationError, StoreUnavailable
from accord.events import Reporter, silent
from accord.seam.foretelling import Foretold, no_look
from accord.seam.losses import Loss
from accord.seam.origins import found_among, showing_left
from accord.seam.stores import StoreFeatures, StoreInfo
from accord.seam.types import (
    AppliedStep,
    Direction,
    Lease,
    Origin,
    Recorded,
    Shown,
    Statement,
    Step,
    StepKey,
    StepOutcome,
)
from migrator.relational import failures, signals
from migrator.relational.carrying import Carries
from migrator.relational.graph import RecordedLoader, full_order, translated_graph
from migrator.relational.leaves import Leaves
from migrator.relational.ledger import Ledger
from migrator.relational.loader import DiskLoader, History, Name, name_of
from migrator.relational.looks_around import LooksAround
from migrator.relational.marks import Marks
from migrator.relational.safety.settling import Settles
from migrator.relational.taking import apps_for, takes_part
from migrator.relational.vendors import vendor_of, vendor_of_engine

if TYPE_CHECKING:
    from migrator.relational.runner import Runner
    from migrator.relational.states import Project


class RelationalStore(Leaves, LooksAround, Marks, Carries, Settles):
    """
    One alias of `DATABASES`.

    Args:
        alias: The alias.
        options: None are known.

    Raises:
        ConfigurationError: An option was given.
    """

    def __init__(self, alias: str, options: Mapping[str, object]) -> None:
        if options:
            raise ConfigurationError(
                f"The store “{alias}” takes no options, and was given {', '.join(sorted(options))}.",
                hint=f"Databases are configured in DATABASES['{alias}'].",
            )
        self.alias = alias
        # By name, because the connection would load Django's backend, which may never be needed.
        settings = connections.databases[alias]
        vendor = vendor_of_engine(settings["ENGINE"])
        self.features = StoreFeatures(
            records_atomically=vendor.has_transactions,
            # Django names migrations as it likes; two of one number are a matter of leaves alone.
            numbers_are_unique=False,
            merged_by="makemigrations --merge",
            thread_bound=True,
            allows_fake=True,
        )
        vendor.limit_connect_time(settings, conf.load().connect_timeout)
        self._ledger = Ledger(alias)
        self._disk: DiskLoader | None = None
        self._project: Project | None = None
        self._runner: Runner | None = None
        self._holder: tuple[str, int] | None = None

    # --- Store -----------------------------------------------------------------------

    def ping(self) -> StoreInfo:
        settings = connections.databases[self.alias]
        with failures.translated(self.alias):
            told = vendor_of_engine(settings["ENGINE"]).version(settings)
        if told is not None:
            return failures.info(self.alias, "MongoDB", told)
        connection = self._connection
        with failures.translated(self.alias):
            # Not by its age: CONN_MAX_AGE is 0 by default, and a connection that works would be made anew.
            db.revive(self.alias)
            connection.ensure_connection()
            vendor = vendor_of(connection)
            version = vendor.check_version(connection)
            if takes_part(self.alias) and vendor.refuses_writes(connection):
                raise failures.read_only(self.alias)
        return failures.info(self.alias, connection.display_name, version)

    def steps(self) -> Sequence[Step]:
        self._disk = DiskLoader()
        history = History(self._disk)
        return [history.step(self.alias, name) for name in history.names_for(self._apps())]

    def applied(self) -> Mapping[StepKey, AppliedStep]:
        return self.recorded().applied

    def apply(self, step: Step, lease: Lease, report: Reporter = silent) -> StepOutcome:
        lease.check()
        with self._running(step, self._offenders):
            return self._runner_for(lease).apply(step, lease, report)

    def revert(self, step: Step, lease: Lease, report: Reporter = silent) -> StepOutcome:
        lease.check()
        with self._running(step):
            return self._runner_for(lease).revert(step, lease, report)

    # --- Orders ----------------------------------------------------------------------

    def order(self, applied: Collection[StepKey]) -> Sequence[StepKey]:
        """Return the steps as Django's `migrate` would take them on an empty database."""
        recorded = [(key.app, key.name) for key in applied if key.store == self.alias]
        with translated_graph():
            graph = RecordedLoader(self._disk or DiskLoader(), recorded).graph
        return [StepKey(self.alias, *name) for name in full_order(graph)]

    # --- Records ---------------------------------------------------------------------

    def record(self, step: Step, lease: Lease, how: Origin = Origin.ADOPTED) -> None:
        """Write a step into both tables as applied, leaving the data alone: Django's "fake"."""
        lease.check()
        with self._running(step):
            self._runner_for(lease).record(step, lease, how)

    def forget(self, step: Step, lease: Lease) -> None:
        """Strike a step from both tables, leaving the data alone; its file may be gone."""
        lease.check()
        with self._running(step):
            self._runner_for(lease).forget(step, lease)

    # --- Explains and Probes -----------------------------------------------------------

    def explain(
        self, steps: Sequence[Step], direction: Direction
    ) -> Iterator[tuple[Step, Sequence[Statement]]]:
        """Render steps as Django's `sqlmigrate` does; works on an empty database and without one."""
        from migrator.relational.statements import Explanation

        disk = self._disk or DiskLoader()
        rendered = Explanation(self.alias, disk, steps, self._rewriting).render(direction)
        return showing_left(rendered, self._found(steps, direction))

    def _found(self, steps: Sequence[Step], direction: Direction) -> Collection[StepKey]:
        """Name the steps that a revert leaves where they are; none where nobody can ask."""
        if direction is Direction.APPLY:
            return ()
        with suppress(StoreUnavailable):
            return found_among(steps, self.applied())
        return ()

    def foretell(
        self, steps: Sequence[Step], direction: Direction, shown: Shown | None = None
    ) -> Iterator[Foretold]:
        """Ask the live database what would refuse or burden the steps."""
        # Loaded here, as below: a run with nothing to do never asks.
        from migrator.relational.foretelling import foretell

        with failures.translated(self.alias):
            found = self._found(steps, direction)
            if not vendor_of(self._connection).describes_tables:
                yield from no_look(step for step in steps if step.key not in found)
                return
            self._connection.ensure_connection()
            begun = self._ledger.recorded().begun
            disk = self._disk or DiskLoader()
            # All of it first: our own looks may set limits.
            every = list(self.explain(steps, direction)) if shown is None else shown
            rendered = [(step, sent) for step, sent in every if step.key not in found]
            yield from foretell(self.alias, disk, rendered, begun, self._rewriting)

    def losses(
        self, steps: Sequence[Step], direction: Direction, shown: Shown | None = None
    ) -> Iterator[Loss]:
        """Count what steps would drop. See :class:`accord.seam.losses.CountsLosses`."""
        from migrator.foretelling.counting import losses
        from migrator.relational import losing
        from migrator.relational.foretelling import asker, may_drop

        with failures.translated(self.alias):
            looks = vendor_of(self._connection).describes_tables
            disk = self._disk or DiskLoader()
            if direction is Direction.APPLY and not may_drop(disk, steps):
                return
            if looks:
                rendered = list(self.explain(steps, direction)) if shown is None else shown
                yield from losses(asker(self.alias), rendered)
            else:
                yield from losing.losses(self.alias, disk, steps, direction, self._found(steps, direction))

    # --- Unfinished ------------------------------------------------------------------

    def recorded(self) -> Recorded:
        """Read both tables; begun is what a run of ours began and neither it nor Django's command ended."""
        # A replica holds the rows of its primary, and a database of others what they wrote.
        if not self._apps():
            return Recorded()
        with failures.translated(self.alias):
            return self._ledger.recorded()

    # --- RunHooks --------------------------------------------------------------------

    def before_run(self, steps: Sequence[Step], direction: Direction, report: Reporter) -> None:
        """Send `pre_migrate`."""
        if not self._apps():
            return
        with failures.translated_signal(self.alias, "pre_migrate"):
            db.revive(self.alias)
            self._forget()
            if not steps and self._is_complete():
                signals.send_pre_migrate(self.alias, [], None)
                return
            # Receivers may add operations to a migration; fresh objects keep that from happening twice.
            self._disk = DiskLoader()
            project = self._project = self._project_on(self._disk)
            signals.send_pre_migrate(
                self.alias, self._plan(project, steps, direction), project.state().clone()
            )
            if direction is Direction.REVERT:
                project.expect_reverts([name_of(step) for step in steps])

    def after_run(self, steps: Sequence[Step], direction: Direction, report: Reporter) -> None:
        """Record squashed migrations whose replaced ones are applied, and send `post_migrate`."""
        if not self._apps():
            return
        with failures.translated_signal(self.alias, "post_migrate"):
            db.revive(self.alias)
            if not steps:
                self._record_replacements()
            if not steps and self._project is None:
                signals.send_post_migrate(self.alias, [], None)
                return
            project = self._project or self._project_on(self._disk or DiskLoader())
            self._forget()
            plan = self._plan(project, steps, direction)
            signals.send_post_migrate(self.alias, plan, project.state())

    def _plan(self, project: Project, steps: Sequence[Step], direction: Direction) -> signals.Plan:
        backwards = direction is Direction.REVERT
        # Receivers hear of migrations that there are; a row may be struck whose file is gone.
        known = [name_of(step) for step in steps if project.knows(name_of(step))]
        return [(project.migration(name), backwards) for name in known]

    def _is_complete(self) -> bool:
        """Return whether everything on disk is applied, so that the live models are those of the database."""
        disk = self._disk = self._disk or DiskLoader()
        applied = self._recorded()
        for name, migration in disk.migrations.items():
            # The row of a squashed migration alone says nothing; Django's loader doesn't ask it either.
            if migration.replaces and applied.issuperset(migration.replaces):
                applied.add(name)
            elif migration.replaces:
                applied.discard(name)
        return applied.issuperset(History(disk).names_for(self._apps()))

    def _recorded(self) -> set[Name]:
        return {(key.app, key.name) for key in self._ledger.recorded().applied}

    def _record_replacements(self) -> None:
        """Do what Django does on every run: a new squashed migration may find all its parts applied."""
        disk = self._disk or DiskLoader()
        applied = self._recorded()
        if any(
            migration.replaces and name not in applied and applied.issuperset(migration.replaces)
            for name, migration in disk.migrations.items()
        ):
            executor = self._project_on(disk).executor
            if executor.recorder.has_table():
                executor.check_replacements()

    # --- Closes ----------------------------------------------------------------------

    def close(self) -> None:
        """
        Forget what a step left.

        The connection is Django's, one a thread: whoever opened the stores may be in the middle of a
        transaction or of a long read on it, and Django ends it when a request or the process is over.
        """
        self._forget()

    # --- inside ----------------------------------------------------------------------

    @property
    def _connection(self) -> BaseDatabaseWrapper:
        return connections[self.alias]

    def _apps(self) -> Sequence[str]:
        """Name the apps that this database takes; a database that takes none is never connected to."""
        if not takes_part(self.alias):
            return ()
        self._disk = self._disk or DiskLoader()
        return apps_for(self.alias, self._disk)

    def _runner_for(self, lease: Lease) -> Runner:
        """Return the runner of a lease; what another lease's runner believed is read anew."""
        holder = (lease.run_id, lease.fence)
        if self._runner is None or self._holder != holder:
            # Loaded here, as above: a run with nothing to do takes no step.
            from migrator.relational.runner import Runner, adopt

            adopt(self._ledger, lease)
            project = self._fitting_project()
            self._runner = Runner(self.alias, ledger=self._ledger, project=project, rewriting=self._rewriting)
            self._holder = holder
        return self._runner

    def _fitting_project(self) -> Project:
        """Keep what :meth:`before_run` computed if no run wrote since, else compute it anew."""
        from migrator.relational.states import recorded_names

        project = self._project
        if project is None or project.recorded != recorded_names(self.alias):
            project = self._project = self._project_on(self._disk or DiskLoader())
        return project

    def _project_on(self, disk: DiskLoader) -> Project:
        from migrator.relational.states import Project

        return Project(self.alias, disk)

    @contextmanager
    def _running(self, step: Step, rows: Callable[[Step], str] = lambda _: "") -> Iterator[None]:
        """Translate errors; after one, nothing that was carried along can be trusted."""
        with failures.translated_step(step, rows):
            # Another store may have worked for hours, and an idle connection is cut by many.
            db.revive(self.alias)
            try:
                yield
            except BaseException:
                self._forget()
                raise

    def _forget(self) -> None:
        self._runner = None
        self._project = None
        self._holder = None
