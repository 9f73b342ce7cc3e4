"""What a database of Django's can tell of what stands in it, beside its ledger."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress

from django.db import connections
from django.db.migrations import Migration

from accord.db import product_of
from accord.seam.assertions import Assertion, Broken, Moment
from accord.seam.describing import Description
from accord.seam.types import Direction, Probe, Step, StepKey
from accord.seam.undeclared import Undeclared
from migrator.relational import failures
from migrator.relational.loader import DiskLoader, name_of
from migrator.relational.taking import why_absent
from migrator.relational.vendors import vendor_of


class LooksAround:
    """
    The part of the store that only looks, loaded when it does: a run with nothing to do never looks.

    Attributes:
        alias: The database.
    """

    alias: str
    _disk: DiskLoader | None

    @property
    def product(self) -> str:
        """Which product it is, in Django's word. See :class:`accord.seam.undeclared.TellsUndeclared`."""
        return product_of(connections.databases[self.alias]["ENGINE"])

    def probe(self, steps: Sequence[Step]) -> Iterator[Probe]:
        """Compare the live catalog with the models as they would stand after all the steps."""
        from migrator.relational.probe import probe

        with failures.translated(self.alias):
            yield from probe(self.alias, self._disk or DiskLoader(), steps)

    def why_absent(self, key: StepKey) -> str:
        """Tell why a step isn't declared here. See :class:`accord.seam.stores.KnowsApps`."""
        return why_absent(self.alias, (key.app, key.name), self._disk or DiskLoader())

    def could_refuse(self, steps: Sequence[Step], direction: Direction) -> bool:
        """Return whether anything that stands could refuse a step: one look at the catalog."""
        from migrator.relational.foretelling import could_refuse

        with failures.translated(self.alias):
            looks = vendor_of(connections[self.alias]).describes_tables
            return looks and could_refuse(self.alias, self._disk or DiskLoader(), steps, direction)

    def occupants(self, tables: Collection[str]) -> Sequence[str]:
        """Name who has had tables open for long. See :mod:`accord.seam.occupants`."""
        from migrator.relational import occupants

        with failures.translated(self.alias):
            return occupants.named(self.alias, tables)

    def taken(self) -> Collection[str]:
        """Name the tables of all models, and Django's own. See as above."""
        from migrator.relational.undeclared import taken

        return taken()

    def undeclared(self, steps: Sequence[Step]) -> Iterator[Undeclared]:
        """Name the tables that no model and no migration declares. See as above."""
        from migrator.relational.undeclared import undeclared

        with failures.translated(self.alias):
            yield from undeclared(self.alias, self._disk or DiskLoader(), steps)

    def describe(self) -> Description | None:
        """Describe what stands, if the product can. See :class:`accord.seam.describing.Describes`."""
        from migrator.relational.describing import described

        return described(self.alias)

    def assertions(self, step: Step, moment: Moment) -> Sequence[Assertion]:
        """Return what a migration declares."""
        from migrator.relational import asserting

        return asserting.declared(step, self._migration(step), moment)

    def broken(self, step: Step, moment: Moment) -> Iterator[Broken]:
        """Ask the database which assertions of a migration don't hold."""
        from migrator.relational import asserting

        with failures.translated(self.alias):
            yield from asserting.broken(self.alias, step, self._migration(step), moment)

    def _offenders(self, step: Step) -> str:
        """Name the rows that a step was refused by; whatever comes up here, why it failed is to be read."""
        from migrator.relational.offenders import offenders

        with suppress(Exception):
            return offenders(step)
        return ""

    def _migration(self, step: Step) -> Migration:
        self._disk = self._disk or DiskLoader()
        return self._disk.migrations[name_of(step)]
