"""`alembic init` and `alembic revision` by hand, with the template that Accord ships."""

from __future__ import annotations

import ast
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from migrator.alembic.scripts import read
from migrator.alembic.template import FOLDER
from tests.fix_workshop import ROOT, Workshop
from tests.forks import run_python

pytestmark = pytest.mark.acceptance

SAMPLE = ROOT / "examples" / "streaming" / "royalties"


def alembic(workshop: Workshop, *arguments: str) -> str:
    """Run the literal command in the project's folder, and return what it said."""
    done = run_python(
        ("-m", "alembic", *arguments), env=workshop.environment, cwd=workshop.folder, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def pending(workshop: Workshop) -> list[str]:
    """Name the steps that a run would apply."""
    return [step["key"] for step in workshop.answer("migrate_all", "--plan")["steps"]]


def findings(workshop: Workshop) -> list[str]:
    """Name the rules that lint finds broken in the history."""
    found = workshop.answer("lint_migrations", "workshop")["findings"]
    assert {one["step"].partition(":")[0] for one in found} >= {"default"}, (
        "the other migration has no docstring"
    )
    return [one["rule"] for one in found if one["step"].startswith("history:")]


@pytest.fixture
def begun(workshop: Workshop) -> Workshop:
    """Give a project with a history that `alembic init` made of the template, as the page says."""
    template = run_python(
        ("-m", "migrator.alembic.template"), env=workshop.environment, cwd=workshop.folder, timeout=60
    ).stdout.strip()
    alembic(workshop, "init", "-t", template, "history")
    ini = workshop.folder / "alembic.ini"
    ini.write_text(ini.read_text().replace("accord_store = alembic", "accord_store = history"))
    return replace(workshop, variables={**workshop.variables, "WORKSHOP_HISTORY": str(ini)})


def test_revisions_of_alembics_own_command_are_steps_of_ours(begun: Workshop) -> None:
    """Written, looked at, applied by Alembic by hand: a run then has nothing to do, and finds nothing odd."""
    begun.django("0001_first", "First")
    assert begun.run("migrate_all", "--noinput").returncode == 0
    alembic(begun, "revision", "-m", "Keep what labels are owed")
    versions = begun.folder / "history" / "versions"
    script = read(versions / "0001_keep_what_labels_are_owed.py")

    assert script.revision == "0001_keep_what_labels_are_owed"
    assert (script.title, script.phase) == ("Keep what labels are owed", "expand")
    assert findings(begun) == []
    assert pending(begun) == [f"history:workshop.{script.revision}"]
    alembic(begun, "upgrade", "head")
    assert pending(begun) == []
    env = begun.folder / "history" / "env.py"
    env.write_text(env.read_text().replace("MetaData | None = None", "MetaData = MetaData()"))
    alembic(begun, "revision", "--autogenerate", "-m", "More")
    assert read(versions / "0002_more.py").down_revisions == (script.revision,)


@pytest.mark.by_turns(3)
def test_a_revision_of_the_template_is_ordered_among_other_stores(begun: Workshop) -> None:
    """What stands there empty is filled in, and the run goes by it."""
    begun.django("0001_first", "First")
    alembic(begun, "revision", "-m", "Pay")
    [path] = (begun.folder / "history" / "versions").glob("*_pay.py")
    path.write_text(
        path.read_text().replace(
            "cross_dependencies = []", 'cross_dependencies = [("default", "workshop", "0001_first")]'
        )
    )
    order = pending(begun)

    assert order.index("default:workshop.0001_first") < order.index(f"history:workshop.{read(path).revision}")
    assert begun.run("migrate_all", "--noinput").returncode == 0
    assert f"{read(path).revision} (head)" in alembic(begun, "current")


@pytest.mark.parametrize(
    ("arguments", "name"),
    [(("-m", "Pay labels"), "0009_pay_labels"), (("--rev-id", "fast", "-m", "Pay labels"), "fast")],
    ids=["numbered", "named"],
)
def test_file_is_numbered_unless_it_is_named(tmp_path: Path, arguments: tuple[str, ...], name: str) -> None:
    """No server and no settings are asked for it; `--rev-id` says another name as ever."""
    copy = tmp_path / "royalties"
    shutil.copytree(SAMPLE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    away = {
        **os.environ,
        "DATABASE_URL": "postgres://nobody@127.0.0.1:9/none",
        "DJANGO_SETTINGS_MODULE": "none",
    }
    ini = ("-c", str(copy / "alembic.ini"))
    made = run_python(("-m", "alembic", *ini, "revision", *arguments), env=away, cwd=ROOT, timeout=60)

    assert made.returncode == 0, made.stderr
    written = read(copy / "versions" / f"{name}.py")
    assert (written.revision, written.down_revisions) == (name, ("0008_drop_percent",))


def test_the_sample_writes_such_a_file_too(tmp_path: Path) -> None:
    """The same template; a message of any signs stays a docstring."""
    assert (SAMPLE / "script.py.mako").read_bytes() == (FOLDER / "script.py.mako").read_bytes()
    copy = tmp_path / "royalties"
    shutil.copytree(SAMPLE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for number, message in enumerate(('Ends in "quotes"', '"""', "C:\\new")):
        name = f"{number:04}_messages"
        ini = ("-c", str(copy / "alembic.ini"))
        made = run_python(
            ("-m", "alembic", *ini, "revision", "--rev-id", name, "-m", message),
            env=dict(os.environ),
            cwd=ROOT,
            timeout=60,
        )
        assert made.returncode == 0, made.stderr
        written = copy / "versions" / f"{name}.py"
        assert ast.get_docstring(ast.parse(written.read_text())) == message
        assert read(written).down_revisions
