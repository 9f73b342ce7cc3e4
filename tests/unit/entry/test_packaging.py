"""What the wheel says about itself."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

import accord
from accord import extras

ROOT = Path(__file__).resolve().parents[3]
BUILD = "import setuptools.build_meta as b; print(b.prepare_metadata_for_build_wheel('out'))"


@pytest.fixture(scope="module")
def metadata(tmp_path_factory: pytest.TempPathFactory) -> Message:
    """Give the metadata of the wheel, made as pip makes them, without network."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    (folder / "accord").mkdir()
    shutil.copy(ROOT / "accord" / "__init__.py", folder / "accord")
    (folder / "out").mkdir()
    subprocess.run([sys.executable, "-c", BUILD], cwd=folder, check=True, capture_output=True)
    [found] = folder.glob("out/*.dist-info/METADATA")
    return Parser().parsestr(found.read_text())


def required(metadata: Message, extra: str = "") -> set[str]:
    """Name the distributions that an extra brings; those that come in any case for none."""
    lines = metadata.get_all("Requires-Dist") or []
    chosen = [line for line in lines if (f'extra == "{extra}"' in line if extra else "extra ==" not in line)]
    return {re.split(r"[\s\[<>=;]", line, maxsplit=1)[0] for line in chosen}


def test_the_wheel_has_a_name_of_ours_and_the_version_of_the_code(metadata: Message) -> None:
    """The same name in the metadata, the hints of errors and the README."""
    assert (metadata["Name"], metadata["Version"]) == (extras.DISTRIBUTION, accord.__version__)
    assert "pip install accord" not in (ROOT / "README.md").read_text()


def test_a_project_of_postgresql_alone_pays_for_nothing_else(metadata: Message) -> None:
    """No driver, no REST framework, no worker."""
    assert required(metadata) == {"Django", "cryptography", "rich"}


def test_every_extra_of_the_readme_is_one_of_the_wheel(metadata: Message) -> None:
    """And every one that the wheel has for users stands there."""
    readme = (ROOT / "README.md").read_text()
    section = readme.partition("## In your own project")[2].partition("\n## ")[0]
    table = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    named = {name for cell in table for name in re.findall(r"`(\w+)`", cell)}

    assert named == set(metadata.get_all("Provides-Extra") or []) - {"dev", "docs"}


@pytest.mark.parametrize("package", ["mongo_migrations", "searchindex", "migrator.alembic", "accord.api"])
def test_what_a_package_needs_is_in_its_extra(metadata: Message, package: str) -> None:
    """The extra that its error names brings what it lacks; `all` has it too."""
    extra, needed = extras._declared(f"{package}.store")
    found = required(metadata, extra)
    brings = {name.lower().replace("-", "_").removesuffix("_binary") for name in found}
    # Comes with elasticsearch, and is called otherwise than what brings it.
    modules = {name.replace("rest_framework", "djangorestframework") for name in needed} - {
        "elastic_transport"
    }

    assert modules <= brings
