"""
How long `lint_migrations` takes for 2,000 migrations, as a command.

    ./run setup && .venv/bin/python benchmarks/lint.py [--migrations N] [--times N]

It writes a project of twenty apps into a folder of its own: fields, indexes, SQL and Python, a quarter each.
No server is asked. The first run compiles the files; it isn't counted.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import ROOT, Measured, clean_environment, measure, say

APPS = tuple(f"app{number}" for number in range(20))
SETTINGS = f"""
SECRET_KEY = "of a benchmark"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "accord", "migrator", *{APPS!r}]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {{"default": {{"ENGINE": "django.db.backends.postgresql", "NAME": "nobody_asks"}}}}
"""
FILE = '''"""Step {number}."""

from django.db import migrations, models


def forwards(apps, schema_editor):
    Room = apps.get_model("{app}", "Room")
    for room in Room.objects.filter(name="x").iterator(chunk_size=100):
        room.name = "y"
        room.save()


class Migration(migrations.Migration):
    dependencies = [{needs}]
    operations = [{operation}]
'''
FIRST = (
    'migrations.CreateModel("Room", [("id", models.BigAutoField(primary_key=True)), '
    '("name", models.CharField(max_length=40))])'
)
OPERATIONS = (
    'migrations.AddField("room", "f{number}", models.IntegerField(null=True))',
    'migrations.AddIndex("room", models.Index(fields=["name"], name="{app}_i{number}"))',
    'migrations.RunSQL("ALTER TABLE {app}_room ADD COLUMN s{number} int", "SELECT 1")',
    "migrations.RunPython(forwards, migrations.RunPython.noop)",
)


def write(folder: Path, migrations: int) -> None:
    """Write the project."""
    (folder / "bench_settings.py").write_text(SETTINGS)
    for app in APPS:
        package = folder / app / "migrations"
        package.mkdir(parents=True)
        (folder / app / "__init__.py").touch()
        (package / "__init__.py").touch()
        for name, text in files(app, migrations // len(APPS)):
            (package / f"{name}.py").write_text(text)


def files(app: str, count: int) -> Iterator[tuple[str, str]]:
    """Yield names and texts of an app's migrations."""
    needs = ""
    for number in range(1, count + 1):
        name = f"{number:04}_step_number_{number}"
        operation = FIRST if number == 1 else OPERATIONS[number % len(OPERATIONS)]
        yield (
            name,
            FILE.format(
                app=app, number=number, needs=needs, operation=operation.format(app=app, number=number)
            ),
        )
        needs = f'("{app}", "{name}")'


def main() -> None:
    """Measure, and print a line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--migrations", type=int, default=2_000)
    parser.add_argument("--times", type=int, default=7)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), asked.migrations)
        path = f"{ROOT}:{folder}"
        environment = {**clean_environment(), "PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": "bench_settings"}
        command = [sys.executable, "-m", "django", "lint_migrations"]
        runs = [measure(command, environment) for _ in range(asked.times + 1)][1:]
    say(f"{asked.migrations} migrations: {middle(runs)}")


def middle(runs: list[Measured]) -> str:
    """Return the medians of some runs."""
    cpu, wall = (statistics.median(getattr(run, name) for run in runs) for name in ("cpu", "wall"))
    return f"{cpu:.2f} s of processor time, {wall:.2f} s by the clock (median of {len(runs)})"


if __name__ == "__main__":
    main()
