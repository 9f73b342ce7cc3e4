"""What the database's own store, or Django, does for a store that lives in a database of the settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import connections

from accord.errors import ConfigurationError
from accord.seam.describing import Description
from accord.seam.traces import Trace
from accord.seam.types import Lease

DEFAULT = "default"
"""The database of a store that names none."""


class LivesInDatabase:
    """The part of a store that leaves test databases, and the end of its ledger, to others."""

    product = "postgresql"
    """Which product it is: objects are PostgreSQL's alone."""
    _database: str

    def describe(self) -> Description | None:
        """Describe the whole database, objects and all. See :class:`accord.seam.describing.Describes`."""
        from migrator.relational.describing import described

        return described(self._database)

    @staticmethod
    def test_options(
        alias: str,  # noqa: ARG004 - Django makes the test database
        options: Mapping[str, object],
        test: Mapping[str, object],  # noqa: ARG004 - as above
        suffix: str,  # noqa: ARG004 - as above
    ) -> Mapping[str, object]:
        """Return the options as they are. See :class:`accord.seam.stores.HasTestStore`."""
        return options

    @staticmethod
    def overlaps(
        test: Mapping[str, object],  # noqa: ARG004 - while tests run, a real database is refused
        real: Mapping[str, object],  # noqa: ARG004 - as above
    ) -> bool:
        """Return that nothing real is touched. See :class:`accord.seam.stores.HasTestStore`."""
        return False

    def make_test_store(self, *, keep: bool) -> None:
        """Leave the database as Django made it."""

    def drop_test_store(self) -> None:
        """Leave the database to Django, which drops it."""

    def traces(self) -> Sequence[Trace]:
        """Name nothing: the database's own store tells the ledger. See :class:`.LeavesTraces`."""
        return ()

    def take_out(self, lease: Lease, *, evidence: bool) -> None:
        """Leave it to the database's own store, which drops the ledger of objects with its own."""


def database_of(alias: str, options: Mapping[str, object]) -> str:
    """
    Return which database a store is in.

    Args:
        alias: Alias of the store.
        options: Its options: `DATABASE`, an alias of `DATABASES`.

    Raises:
        ConfigurationError: There are others, or there is no such database.
    """
    database = options.get("DATABASE", DEFAULT)
    if options.keys() - {"DATABASE"} or database not in connections.databases:
        raise ConfigurationError(
            f"ACCORD['STORES']['{alias}'] takes DATABASE alone, and it names an alias of DATABASES.",
            hint=f"Databases: {', '.join(connections.databases)}.",
        )
    return str(database)
