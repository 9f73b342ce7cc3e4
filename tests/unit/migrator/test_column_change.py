"""The operations of a column change as files have them, and what they send."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import models
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.writer import OperationWriter

from migrator.operations import BeginColumnChange, CopyColumn, EndColumnChange
from migrator.operations.base import ColumnOperation
from migrator.operations.change import Change

SAME = Change(
    table='"play"', old='"at"', new='"moment"', keys=('"id"',), old_type="integer", new_type="integer"
)
OTHER = replace(SAME, new_type="text", forwards="'#' || {old}")
OPERATIONS = [
    BeginColumnChange("play", "at", "moment", models.FloatField(), forwards="{old} / 10.0"),
    CopyColumn("play", "at", "moment"),
    EndColumnChange("play", "at", "moment", backwards="round({new})"),
]


def test_value_is_the_other_one_or_cast_or_as_said() -> None:
    """A word for the column stands wherever the row is."""
    assert (SAME.new_value(), SAME.old_value("NEW.")) == ('"at"', 'NEW."moment"')
    assert OTHER.new_value("NEW.") == "('#' || NEW.\"at\")"
    assert OTHER.old_value() == 'CAST("moment" AS integer)'


def test_names_of_triggers_hang_on_table_and_columns() -> None:
    """Two changes of one table don't meet; a value that is said otherwise finds the trigger that stands."""
    assert SAME.name == OTHER.name
    assert SAME.name != replace(SAME, new='"at2"').name
    assert SAME.body != OTHER.body


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: type(each).__name__)
def test_operation_is_written_into_a_file_and_read_again(operation: ColumnOperation) -> None:
    """As squashing and makemigrations do."""
    text, imports = OperationWriter(operation, indentation=0).serialize()
    found: dict[str, ColumnOperation] = {}

    exec("\n".join([*imports, "from django.db import models", f"found = {text.rstrip(',')}"]), found)  # noqa: S102 - what was just written

    assert found["found"].deconstruct()[:2:2] == operation.deconstruct()[:2:2]
    assert found["found"].deconstruct()[2] == operation.deconstruct()[2]


def test_state_has_both_fields_until_the_end() -> None:
    """The one that comes may be NULL for now, whatever the field says."""
    state = ProjectState()
    state.add_model(
        ModelState(
            "shop", "Play", [("id", models.BigAutoField(primary_key=True)), ("at", models.IntegerField())]
        )
    )

    OPERATIONS[0].state_forwards("shop", state)
    OPERATIONS[1].state_forwards("shop", state)
    found = state.models["shop", "play"].fields
    assert (list(found), found["moment"].null) == (["id", "at", "moment"], True)
    OPERATIONS[2].state_forwards("shop", state)

    assert list(state.models["shop", "play"].fields) == ["id", "moment"]


def test_operations_say_what_they_are_about() -> None:
    """To Django's optimizer, and to people."""
    assert [each.references_model("Play", "shop") for each in OPERATIONS] == [True] * 3
    assert [each.references_model("Label", "shop") for each in OPERATIONS] == [False] * 3
    assert OPERATIONS[1].describe() == "Fill moment on play from at"
    assert [each.migration_name_fragment.split("_")[0] for each in OPERATIONS] == ["begin", "copy", "end"]
