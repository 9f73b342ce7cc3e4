"""The operations about jobs in batches, as far as no database is asked."""

from __future__ import annotations

from django.db.migrations.state import ProjectState
from django.db.migrations.writer import OperationWriter

from migrator.operations import BeginBatches, RequireBatches

BEGIN = BeginBatches("fill totals", "shop.fill", {"table": "orders"}, workers=4)
REQUIRE = RequireBatches("fill totals", here=5)


def test_operations_are_written_as_they_were_made() -> None:
    """`squashmigrations` and `makemigrations` write what was said, and no default."""
    assert "workers=4" in OperationWriter(BEGIN).serialize()[0]
    assert "workers" not in OperationWriter(BeginBatches("a", "shop.fill")).serialize()[0]
    for operation in (BEGIN, REQUIRE):
        _name, arguments, words = operation.deconstruct()
        assert type(operation)(*arguments, **words).deconstruct() == operation.deconstruct()


def test_operations_leave_the_state_alone() -> None:
    """They are about rows; models are as before."""
    state = ProjectState()

    for operation in (BEGIN, REQUIRE):
        operation.state_forwards("shop", state)

    assert state.models == {}


def test_operations_say_what_they_are_about() -> None:
    """To people, and in the names of files."""
    assert BEGIN.describe() == "Begin the job “fill totals”"
    assert REQUIRE.describe() == "Require that the job “fill totals” is done"
    assert BEGIN.migration_name_fragment == "begin_fill_totals"
    assert REQUIRE.migration_name_fragment == "require_fill_totals"
