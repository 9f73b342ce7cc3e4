"""The built wheel in a new project, by the words of the README."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fix_workshop import ROOT

pytestmark = pytest.mark.acceptance

PACKAGES = ("accord", "migrator", "gdpr", "mongo_migrations", "searchindex")
BUILD = "import setuptools.build_meta as b; print(b.build_wheel('out'))"
SECTION = (ROOT / "README.md").read_text().partition("## In your own project")[2].partition("\n## ")[0]
OWN = """
import os
import environ
INSTALLED_APPS.remove("django.contrib.admin")
USE_TZ = False
DATABASES = {"default": environ.Env.db_url_config(os.environ["OWN_DATABASE"])}
"""
TEST = """
def test_stores(accord_stores):
    assert list(accord_stores) == ["default"]
"""


def blocks(language: str) -> str:
    """Give what the README shows in a language."""
    return "\n".join(re.findall(rf"```{language}\n(.*?)```", SECTION, re.DOTALL))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder into which the wheel was installed, built as pip builds it, without network."""
    folder = tmp_path_factory.mktemp("wheel")
    left_out = shutil.ignore_patterns("__pycache__")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=left_out)
    for name in ("pyproject.toml", "README.md", "LICENSE", "MANIFEST.in"):
        shutil.copy(ROOT / name, folder)
    subprocess.run([sys.executable, "-c", BUILD], cwd=folder, check=True, capture_output=True)
    [wheel] = (folder / "out").glob("*.whl")
    pip = ("-m", "pip", "install", "--no-deps", "--no-index", "--no-compile", "--quiet")
    subprocess.run(
        [sys.executable, *pip, "--target", folder / "site", wheel], check=True, capture_output=True
    )
    return folder / "site"


@pytest.mark.by_turns(3)
def test_a_new_project_goes_through_the_words_of_the_readme(
    installed: Path, tmp_path: Path, new_database: Callable[[], str]
) -> None:
    """Without the admin, without time zones, on PostgreSQL alone; its tests find the plugin by themselves."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "DJANGO"))},
        "PYTHONPATH": str(installed),
        "OWN_DATABASE": new_database(),
    }

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    assert run(sys.executable, "-m", "django", "startproject", "shop", ".").returncode == 0
    settings, urls = tmp_path / "shop" / "settings.py", tmp_path / "shop" / "urls.py"
    settings.write_text(settings.read_text() + OWN + blocks("python"))
    urls.write_text("urlpatterns = []\n")

    lines = [line.partition("#")[0].removeprefix("$ ") for line in blocks("console").splitlines()]
    assert sum("migrate_all" in line for line in lines) >= 3
    for line in lines:
        done = run(sys.executable, *shlex.split(line)[1:])
        assert done.returncode == 0, (line, done.stdout, done.stderr)

    (tmp_path / "test_shop.py").write_text(TEST)
    environment["DJANGO_SETTINGS_MODULE"] = "shop.settings"
    flags = ("-p", "no:cacheprovider", "-p", "no:anyio", "-p", "no:faker", "-p", "no:schemathesis")
    done = run(
        sys.executable, "-m", "pytest", "-q", *flags, "-c", os.devnull, "--rootdir", ".", "test_shop.py"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    where = run(sys.executable, "-c", "import accord; print(accord.__file__)")
    assert where.stdout.startswith(str(installed))
    template = Path(run(sys.executable, "-m", "migrator.alembic.template").stdout.strip())
    assert {file.name for file in template.glob("*")} >= {"alembic.ini.mako", "env.py", "script.py.mako"}
