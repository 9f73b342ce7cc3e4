"""What migrations of a MongoDB behind Django would drop: counted by collection and field, as they are now."""

from __future__ import annotations

import pytest

from accord.seam.types import Direction
from accord.testing import make_lease
from tests.conformance.harness_relational import DocumentsHarness

pytestmark = pytest.mark.integration

NAME = "0002_names"
RENAMES = """from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("APP", "0001_artists")]
    operations = [
        migrations.AddField("artist", "plays", models.BigIntegerField(null=True)),
        migrations.RenameField("artist", "plays", "heard"),
        migrations.RenameModel("Artist", "Musician"),
        migrations.CreateModel("Label", [("id", models.BigIntegerField(primary_key=True, db_column="_id"))]),
        migrations.AlterModelTable("Label", "imprints"),
    ]
"""


def test_losses_are_counted_by_the_names_of_today(documents_harness: DocumentsHarness) -> None:
    """Field and collection were renamed since; on the way forward nothing is dropped, and nothing told."""
    harness = documents_harness
    for name in harness.step_names[1:]:
        harness.remove(name)
    harness.write_revision(NAME, RENAMES)
    steps = [harness.step("0001_artists"), harness.step(NAME)]
    assert list(harness.store().losses(steps, Direction.APPLY)) == []
    for step in steps:
        harness.store().apply(step, make_lease(100))
    with harness._client() as client:
        database = client.get_default_database()
        database[f"{harness.app}_musician"].insert_many([{"_id": 1, "heard": 5}, {"_id": 2, "heard": None}])
        database["imprints"].insert_many([{"_id": number} for number in range(3)])

    found = harness.store().losses(list(reversed(steps)), Direction.REVERT)

    assert {loss.what: loss.count.number for loss in found} == {
        "collection imprints": 3,
        f"field {harness.app}_musician.heard": 1,
        f"collection {harness.app}_musician": 2,
        f"collection {harness.app}_track": 0,
    }
