"""What lint finds in the Python that migrations run, and in files as such."""

from __future__ import annotations

import pytest

from tests.fix_lint import ROOM, Lint, Workbench

HEAD = "def forwards(apps, schema_editor):\n    Room = apps.get_model('shop', 'Room')\n"
RUN = "atomic = False\noperations = [migrations.RunPython(forwards, migrations.RunPython.noop)]"
FOUND = {
    "loop over all": ("    for room in Room.objects.all():\n        room.save()", "rows-all-loaded"),
    "comprehension over all": (
        "    names = [one.name for one in Room.objects.filter(size=1)]",
        "rows-all-loaded",
    ),
    "update of all": ("    Room.objects.update(size=1)", "rows-all-written"),
    "delete of all": ("    Room.objects.using('default').all().delete()", "rows-all-written"),
    "endless": ("    while True:\n        pass", "loop-without-end"),
    "built SQL": ("    schema_editor.execute(f'DELETE FROM {Room}')", "sql-built"),
    "formatted SQL": ("    schema_editor.execute('DELETE FROM %s' % Room)", "sql-built"),
    "no app": ("    apps.get_model('Room')", "model-without-app"),
    "secret": ("    password = 'correct horse'", "secret"),
    "secret in a URL": ("    url = 'https://eva:horse@example.com/'", "secret"),
}
FINE = {
    "iterator": "    for room in Room.objects.all().iterator():\n        room.save()",
    "slice": "    for room in Room.objects.order_by('pk')[:100]:\n        room.save()",
    "list": "    for name in ['a', 'b']:\n        print(name)",
    "update of some": "    Room.objects.filter(pk__in=[1]).update(size=1)",
    "loop with an end": "    while True:\n        break",
    "constant SQL": "    schema_editor.execute('SELECT ' 'now()')",
    "parameters": "    schema_editor.execute('SELECT %s', [Room])",
    "secret of the settings": "    password = apps.password",
}


@pytest.mark.parametrize(("code", "rule"), FOUND.values(), ids=FOUND)
def test_lint_finds(lint: Lint, code: str, rule: str) -> None:
    """Each is found where it stands."""
    found = [one for one in lint(RUN, above=f"{HEAD}{code}\n") if one.rule == rule]

    assert len(found) == 1
    assert found[0].path.read_text().splitlines()[found[0].line - 1].strip() == code.splitlines()[0].strip()


@pytest.mark.parametrize("code", FINE.values(), ids=FINE)
def test_lint_leaves_alone(lint: Lint, code: str) -> None:
    """What is bounded, or no statement of its own, is no finding."""
    assert [one.rule for one in lint(RUN, above=f"{HEAD}{code}\n")] == []


def test_the_model_of_today_is_found(lint: Lint) -> None:
    """A model that is imported and used by the function, and not one that is only imported."""
    above = """
    from accord.models import ActorReference, AuditEvent

    def forwards(apps, schema_editor):
        AuditEvent.objects.count()
    """
    found = [one for one in lint(RUN, above=above) if one.rule == "model-imported"]

    assert [one.text.split(" ")[0] for one in found] == ["AuditEvent"]


def test_arguments_the_wrong_way_round_are_found(lint: Lint) -> None:
    """Django would hand over apps as schema_editor."""
    above = "def forwards(schema_editor, apps):\n    pass\n"

    assert "function-arguments" in {one.rule for one in lint(RUN, above=above)}


def test_rows_are_not_written_under_a_lock(lint: Lint) -> None:
    """Alone, or where each operation commits by itself, they may."""
    above = f"{HEAD}    pass\n"
    column = 'migrations.AddField("room", "floor", models.IntegerField(null=True))'
    both = f"[{column}, migrations.RunPython(forwards, migrations.RunPython.noop)]"

    assert [one.rule for one in lint(f"operations = {both}", above=above)] == ["rows-under-lock"]
    assert lint(f"atomic = False\noperations = {both.replace('floor', 'storey')}", above=above) == []


def test_one_transaction_locks_one_table(lint: Lint) -> None:
    """Two tables in an atomic migration are told once."""
    columns = [
        f'migrations.AddField("{table}", "x", models.IntegerField(null=True))' for table in ("room", "owner")
    ]

    assert [one.rule for one in lint(",\n".join(columns) + ",")] == ["several-tables-locked"]


@pytest.mark.parametrize(
    ("name", "doc", "rules"),
    [
        ("0002_auto_20260101_1200", "Does it.", {"file-name"}),
        ("second", "Does it.", {"file-name"}),
        ("0002_rooms", "", {"file-docstring"}),
        ("0002_rooms", "Does it.", set()),
    ],
)
def test_files_speak_for_themselves(workbench: Workbench, name: str, doc: str, rules: set[str]) -> None:
    """A name that says something, and a sentence at the top."""
    workbench.write(ROOM)
    workbench.write("", name=name, doc=doc)

    assert {one.rule for one in workbench.look().findings} == rules


def test_no_way_back_is_fine_with_a_reason(lint: Lint) -> None:
    """Whoever says why it can't be undone has thought of it."""
    above = f"{HEAD}    pass\n"
    body = "operations = [migrations.RunPython(forwards)]"

    assert [one.rule for one in lint(body, above=above)] == ["no-way-back"]
    assert lint(f'irreversible = "What was there is gone."\n{body}', above=above) == []
