"""Evidence can't be changed: triggers on requests, steps, plans, decisions, receipts and consent."""

from typing import Any

from django.db import migrations

from gdpr import guards


def install(_apps: Any, schema_editor: Any) -> None:
    """Put the triggers in place."""
    guards.install(schema_editor.connection)


def remove(_apps: Any, schema_editor: Any) -> None:
    """Take them away."""
    guards.remove(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("gdpr", "0001_initial")]

    operations = [migrations.RunPython(install, remove)]
