"""What lint finds in Alembic's revisions, by their syntax alone, and in files of other stores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import indent

import pytest

from accord.seam.types import Phase, Source, Step, StepKey
from migrator.lint import registry
from migrator.lint.finding import Finding
from migrator.lint.linter import Linter
from migrator.lint.reading import alembic, revisions
from tests.fix_lint import TODAY

FOUND = {
    'op.create_index("n", "room", ["name"])': "index-not-concurrent",
    'op.create_index(op.f("n"), "room", ["name"], unique=True)': "index-not-concurrent",
    'op.add_column("room", sa.Column("name", sa.String(9), index=True))': "index-not-concurrent",
    'op.create_index("n", "room", ["name"], postgresql_concurrently=True)': "concurrent-in-transaction",
    'op.drop_index("n", table_name="room")': "index-drop-not-concurrent",
    'op.add_column("room", sa.Column("key", sa.Uuid, server_default=sa.text("gen_random_uuid()")))': (
        "column-volatile-default"
    ),
    'op.add_column("room", sa.Column("seq", sa.BigInteger, sa.Identity()))': "column-computed",
    'op.add_column("room", sa.Column("twice", sa.Integer, sa.Computed("size * 2")))': "column-computed",
    'op.add_column("room", sa.Column("floor", sa.Integer, nullable=False))': "column-required",
    'op.add_column("room", sa.Column("key", sa.Text, unique=True))': "column-unique",
    'op.alter_column("room", "size", nullable=False)': "column-not-null",
    'op.alter_column("room", "size", nullable=True)': "column-nullable",
    'op.alter_column("room", "size", server_default="1")': "column-default-changed",
    'op.alter_column("room", "size", type_=sa.BigInteger(), existing_type=sa.Integer())': "column-type",
    'op.alter_column("room", "name", type_=sa.String(9), existing_type=sa.String(40))': "column-narrower",
    'op.alter_column("room", "size", new_column_name="area")': "renamed",
    'op.rename_table("room", "hall")': "renamed",
    'op.create_table("t", sa.Column("id", sa.Integer, primary_key=True))': "column-small-key",
    'op.create_check_constraint("c", "room", "size > 0")': "check-validating",
    'op.create_foreign_key("f", "room", "owner", ["owner"], ["id"])': "foreign-key-validating",
    'op.create_unique_constraint("u", "room", ["name"])': "unique-building",
    'op.create_primary_key("p", "room", ["name"])': "primary-key-building",
    'op.create_exclude_constraint("x", "room", ("size", "="))': "exclusion-building",
    'op.drop_column("room", "size")': "column-dropped",
    'op.drop_table("room")': "table-dropped",
    'op.execute("TRUNCATE room")': "rows-truncated",
    'op.execute(sa.text("UPDATE room SET size = 1"))': "rows-all-written-by-sql",
    "op.execute(room.update().values(size=1))": "rows-all-written-by-sql",
    'op.execute("SELECT " + name)': "not-looked-at",
    'op.execute(f"DROP TABLE {name}")': "sql-built",
    'op.add_column("room", sa.Column("made", sa.DateTime))': "column-without-zone",
    'op.add_column("room", sa.Column("body", sa.JSON()))': "column-json",
    'op.create_table("t", sa.Column("a", sa.BigInteger, sa.ForeignKey("a.id")), '
    'sa.UniqueConstraint("b", "a"))': "foreign-key-without-index",
    'op.create_index("n", "room", ["a", "b", "c", "d"])': "index-wide",
    'op.create_index("n", "room", ["a"], postgresql_using="hash")': "index-hash",
    "op.drop_table(name)": "not-looked-at",
    'op.shrink("room")': "not-looked-at",
    'with op.batch_alter_table("room") as batch:\n    batch.drop_column("size")': "column-dropped",
    'with op.batch_alter_table("room") as batch:\n    batch.create_index("n", '
    '["name"])': "index-not-concurrent",
    'for name in ("a", "b"):\n    op.create_index("n", "room", ["name"])': "index-not-concurrent",
}
FINE = (
    """with op.get_context().autocommit_block():
    op.create_index("n", "room", ["name"], postgresql_concurrently=True, if_not_exists=True)""",
    'op.add_column("room", sa.Column("floor", sa.Integer))',
    'op.add_column("room", sa.Column("floor", sa.Integer, nullable=False, server_default="1"))',
    'op.add_column("room", sa.Column("made", sa.DateTime(timezone=True), server_default=sa.func.now()))',
    'op.add_column("room", sa.Column("owner", sa.Integer, sa.ForeignKey("owner.id")))',
    'op.alter_column("room", "name", type_=sa.String(80), existing_type=sa.String(40))',
    'op.create_check_constraint("c", "room", "size > 0", postgresql_not_valid=True)',
    'op.create_foreign_key("f", "room", "owner", ["owner"], ["id"], postgresql_not_valid=True)',
    """op.create_table("t", sa.Column("id", sa.BigInteger, primary_key=True))
op.create_index("n", "t", ["id"])""",
    """op.create_table("t", sa.Column("owner", sa.BigInteger, sa.ForeignKey("owner.id")))
op.create_index("n", "t", ["owner"])""",
    """op.create_table(
    "t",
    sa.Column("owner", sa.BigInteger, sa.ForeignKey("owner.id")),
    sa.Column("day", sa.Date),
    sa.UniqueConstraint("owner", "day", name="one"),
)""",
    """with op.get_context().autocommit_block():
    op.create_index("n", "room", ["name"], postgresql_concurrently=True)""",
    "op.execute(room.update().where(room.c.id == 1).values(size=1))",
    "op.execute(room.insert().values(size=1))",
)


def step(folder: Path, code: str, *, phase: Phase = Phase.EXPAND, name: str = "0002_step") -> Step:
    head = '"""Does it."""\n\nimport sqlalchemy as sa\nfrom alembic import op\n\n\ndef upgrade():\n'
    text = f"{head}{indent(code, '    ')}\n"
    path = folder / f"{name}.py"
    path.write_text(text)
    return Step(key=StepKey("royalties", "royalties", name), source=Source(path), phase=phase)


def lint(*steps: Step, is_a_release: bool = False) -> Sequence[Finding]:
    subjects = alembic.read(steps, is_a_release=is_a_release)
    return Linter(registry.rules({}), {}, TODAY).look(subjects).findings


@pytest.mark.parametrize(("code", "rule"), FOUND.items(), ids=list(FOUND))
def test_lint_finds(tmp_path: Path, code: str, rule: str) -> None:
    """Each call is read without importing Alembic, and found at its line."""
    found = [one for one in lint(step(tmp_path, code)) if one.rule == rule]

    assert found
    assert found[0].path.read_text().splitlines()[found[0].line - 1].strip() == code.splitlines()[-1].strip()


@pytest.mark.parametrize("code", FINE)
def test_lint_leaves_alone(tmp_path: Path, code: str) -> None:
    """What is safe is no finding."""
    assert [one.rule for one in lint(step(tmp_path, code))] == []


def test_after_the_deploy_columns_may_go(tmp_path: Path) -> None:
    """The phase of a revision counts as that of a migration does."""
    assert lint(step(tmp_path, 'op.drop_column("room", "size")', phase=Phase.CONTRACT)) == []


def test_tables_of_the_same_release_are_in_nobodys_use(tmp_path: Path) -> None:
    """As with Django's."""
    first = step(tmp_path, 'op.create_table("t", sa.Column("id", sa.BigInteger))', name="0001_first")
    second = step(tmp_path, 'op.create_index("n", "t", ["id"])')

    assert [one.rule for one in lint(first, second)] == ["index-not-concurrent"]
    assert lint(first, second, is_a_release=True) == []


def test_files_of_other_stores_are_looked_at_as_files(tmp_path: Path) -> None:
    """A name, a docstring, secrets and loops are the same in every store."""
    path = tmp_path / "plays.py"
    path.write_text("token = 'abc'\nwhile True:\n    pass\n")
    key = StepKey("mongodb", "shop", "plays")
    steps = [Step(key=key, source=Source(path), irreversible="It drops a collection.")]

    report = Linter(registry.rules({}), {}, TODAY).look(revisions.read(steps))

    assert {one.rule for one in report.findings} == {
        "file-name",
        "file-docstring",
        "secret",
        "loop-without-end",
        "no-way-back",
    }
