"""The table of a model divided into partitions by a migration, beside who writes to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from accord.errors import UsageError
from accord.events import silent
from accord.seam.types import Lease, Phase
from migrator.operations.base import refuse_transaction
from migrator.partitions.conversion import Conversion
from migrator.partitions.declaration import ByHash, ByList, ByTime, Partitioned
from migrator.partitions.declared import wanted_of
from migrator.partitions.standing import State, probe
from migrator.partitions.table import Catalog
from migrator.partitions.telling import refuse, sql_of
from migrator.partitions.wanted import Wanted
from migrator.relational.locking import tries_on, usual_patience

_ALWAYS = Lease(scope="", owner="", run_id="", fence=0)
"""Nothing is asked of it: the step has a lease of its own, and a second conversion does no harm."""


class PartitionModel(Operation):
    """
    Divide the table of a model into partitions, and keep the old one in step as the way back.

    For a migration with `atomic = False`. A run that was killed is taken up. Undone, the old table is back
    with all that was written since; after `partition finish` it can't be undone. Elsewhere than on PostgreSQL
    the table stays as it is, which its models don't notice.

    Args:
        model_name: The model.
        key: Field whose value decides where a row goes.
        by: How, as in `partitions.py`.
        widen_primary_key: Agrees that the table's primary key becomes the model's and the key together.
    """

    atomic = False
    reversible = True
    phase = Phase.BACKFILL
    goes_on = True

    def __init__(
        self, model_name: str, *, key: str, by: ByTime | ByList | ByHash, widen_primary_key: bool = False
    ) -> None:
        self.model_name = model_name
        self.key = key
        self.by = by
        self.widen_primary_key = widen_primary_key

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return what it is made of."""
        words: Mapping[str, Any] = {"widen_primary_key": True} if self.widen_primary_key else {}
        return type(self).__qualname__, [self.model_name], {"key": self.key, "by": self.by, **words}

    def references_model(self, name: str, app_label: str) -> bool:
        """Say whether it is about a model, for Django's optimizer."""
        return name.lower() == self.model_name.lower()

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Leave the state alone: models don't know of partitions."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Divide it; with a schema editor that only collects SQL, write what would be sent."""
        found = self._found(app_label, schema_editor, to_state)
        if found is None:
            return
        catalog, wanted = found
        if schema_editor.collect_sql:
            schema_editor.collected_sql.extend(_told(catalog, wanted))
            return
        refuse_transaction(self, schema_editor)
        self._conversion(catalog, wanted).convert()

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Put the old table back."""
        found = self._found(app_label, schema_editor, to_state)
        if found is None:
            return
        if schema_editor.collect_sql:
            schema_editor.collected_sql.append(f"-- {found[1].old} becomes {found[1].table} again")
            return
        refuse_transaction(self, schema_editor)
        self._conversion(*found).revert()

    def _found(self, app_label: str, editor: Any, state: ProjectState) -> tuple[Catalog, Wanted] | None:
        """Return the table as it is to be; None where this database has nothing to do with it."""
        model = state.apps.get_model(app_label, self.model_name)
        connection = editor.connection
        if connection.vendor != "postgresql" or not self.allow_migrate_model(connection.alias, model):
            return None
        declared = Partitioned(
            model=model._meta.label, key=self.key, by=self.by, widen_primary_key=self.widen_primary_key
        )
        return Catalog(connection), wanted_of(declared, model, connection.alias)

    def _conversion(self, catalog: Catalog, wanted: Wanted) -> Conversion:
        connection = catalog.connection
        tries = tries_on(connection, f"{wanted.name}", usual_patience(connection), _ALWAYS, silent)
        # The step itself is in the trail.
        return Conversion(catalog, wanted, tries, silent, lambda: None)

    def describe(self) -> str:
        """Say what it is, for people."""
        return f"Divide {self.model_name} into partitions by {self.key}"

    @property
    def migration_name_fragment(self) -> str:
        """Return a part of a file's name."""
        return f"partition_{self.model_name.lower()}"


def _told(catalog: Catalog, wanted: Wanted) -> list[str]:
    """Write what would be sent; of a table that isn't there yet nothing is known."""
    if catalog.table(wanted.table) is None:
        return [f"-- {wanted.table} is divided into partitions by {wanted.key}"]
    found = probe(catalog, wanted)
    if found.state is not State.PLAIN:
        return [f"-- {wanted.table}: {found.state.value}"]
    try:
        refuse(catalog, wanted, found.table)
    except UsageError as exc:
        return [f"-- refused: {exc.message}"]
    return [
        statement if statement.startswith("--") else f"{statement.strip()};"
        for statement in sql_of(catalog, wanted, found.table)
    ]
