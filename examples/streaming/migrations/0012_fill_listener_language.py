"""
Languages of the listeners that joined before the column, guessed from their country.

Batches commit one by one. A run that was killed goes on with the rows that are still empty.
"""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Case, Value, When

BATCH = 2_000
SPOKEN_IN = {
    "fr": ("FR", "BE", "LU", "SN"),
    "de": ("DE", "AT", "CH"),
    "ar": ("EG", "SA", "MA"),
    "ja": ("JP",),
}
GUESS = Case(
    *(When(country__in=countries, then=Value(language)) for language, countries in SPOKEN_IN.items()),
    default=Value("en"),
)


def fill(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Guess where nothing stands yet; what a listener chose meanwhile stays."""
    listeners = apps.get_model("streaming", "Listener").objects.using(schema_editor.connection.alias)
    empty = listeners.filter(language__isnull=True)
    while batch := list(empty.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        empty.filter(pk__in=batch).update(language=GUESS)


class Migration(migrations.Migration):
    atomic = False
    phase = "backfill"
    dependencies = [("streaming", "0011_positive_payments")]

    # Nothing to undo: the column goes with the migration that made it.
    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
