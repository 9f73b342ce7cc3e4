"""Where revision files are: our reading held against Alembic's own."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from accord.errors import ConfigurationError
from migrator.alembic.layout import HistoryConfig, NeedsAlembic
from migrator.alembic.reader import Reader

REVISION = 'revision = "{name}"\ndown_revision = None\ndef upgrade(): pass\ndef downgrade(): pass\n'


def write(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / f"{name}.py").write_text(REVISION.format(name=name))


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write folders of revisions, some with files that don't count, and stand in the topmost one."""
    write(tmp_path / "scripts" / "versions", "one", "two")
    write(tmp_path / "scripts" / "versions" / "deep" / "deeper", "three")
    write(tmp_path / "scripts" / "versions" / "__pycache__", "never")
    write(tmp_path / "more versions", "four")
    write(tmp_path / "extra", "five")
    write(tmp_path / "a_package_of_tests" / "history" / "versions", "six")
    (tmp_path / "a_package_of_tests" / "__init__.py").touch()
    (tmp_path / "scripts" / "versions" / "__init__.py").write_text("raise SystemExit")
    (tmp_path / "scripts" / "versions" / ".#two.py").write_text("never read (")
    (tmp_path / "scripts" / "versions" / "notes.txt").write_text("never read (")
    (tmp_path / "linked").symlink_to(tmp_path / "extra")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    return tmp_path


SCRIPTS = "script_location = scripts\n"
# @ stands for the line that most of them have.
LAYOUTS = {
    "here": "script_location = %(here)s/scripts",
    "relative": "script_location = scripts",
    "trailing slash": "script_location = scripts/",
    "recursive": "@recursive_version_locations = true",
    "recursive in capitals": "@recursive_version_locations = True",
    "os": "@path_separator = os\nversion_locations = scripts/versions:%(here)s/extra",
    "space": "@path_separator = space\nversion_locations = extra  scripts/versions",
    "newline": ("@path_separator = newline\nversion_locations =\n  more versions\n  extra\n"),
    "old name": "@version_path_separator = ;\nversion_locations = more versions;extra",
    "both names": ("@path_separator = :\nversion_path_separator = ;\nversion_locations = extra:scripts"),
    "legacy": "@version_locations = extra, scripts/versions",
    "missing folder": "@path_separator = os\nversion_locations = extra:nowhere",
    "twice": "@path_separator = os\nversion_locations = extra:linked",
    "package": "script_location = a_package_of_tests:history",
    "package for versions": (
        "@path_separator = space\nversion_locations = a_package_of_tests:history:versions"
    ),
    "interpolation": "base = scripts\nscript_location = %(base)s",
    "percent in the url": "@sqlalchemy.url = postgresql://u:a%%40b%h/db",
}


def by_alembic(config: Config) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is deprecated there still has to be read
        return [script.revision for script in ScriptDirectory.from_config(config)._load_revisions()]


def by_us(config: HistoryConfig) -> list[str]:
    return list(Reader(config, pytest.fail).history().scripts)


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_ini_gives_the_files_that_alembic_finds(tree: Path, text: str) -> None:
    """Both ways give the same revisions in the same order."""
    if "scripts" in text.rpartition("version_locations =")[2].split(":"):
        write(tree / "scripts", "seven")
    (tree / "alembic.ini").write_text(f"[alembic]\n{text.replace('@', SCRIPTS)}\n")

    assert by_us(HistoryConfig(tree / "alembic.ini")) == by_alembic(Config("alembic.ini"))


@pytest.mark.parametrize(
    "text",
    [
        'script_location = "%(here)s/scripts"',
        'script_location = "scripts"\nrecursive_version_locations = true',
        'script_location = "scripts"\nversion_locations = ["%(here)s/extra", "more versions"]',
    ],
)
@pytest.mark.parametrize("ini", ["", "[alembic]\nscript_location = scripts\n", "[other]\nx = 1\n"])
def test_pyproject_gives_the_files_that_alembic_finds(tree: Path, text: str, ini: str) -> None:
    """A pyproject.toml counts alone, and beside an ini, which goes first."""
    (tree / "pyproject.toml").write_text(f"[tool.alembic]\n{text}\n")
    if ini:
        (tree / "alembic.ini").write_text(ini)
    config = Config("alembic.ini" if ini else None, toml_file="pyproject.toml")

    assert by_us(HistoryConfig(tree / "pyproject.toml")) == by_alembic(config)


def test_section_of_another_name(tree: Path) -> None:
    """One ini may hold several histories."""
    (tree / "alembic.ini").write_text(
        "[alembic]\nscript_location = scripts\n[second]\nscript_location = a_package_of_tests/history\n"
    )

    assert by_us(HistoryConfig(tree / "alembic.ini", "second")) == ["six"]
    assert by_alembic(Config("alembic.ini", ini_section="second")) == ["six"]


def test_relative_folder_starts_beside_the_configuration(
    tree: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Under cron nobody chose the working directory; it doesn't count."""
    (tree / "alembic.ini").write_text("[alembic]\nscript_location = scripts\n")
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))

    assert by_us(HistoryConfig(tree / "alembic.ini")) == ["one", "two"]


@pytest.mark.parametrize(
    "text",
    [
        "script_location = scripts\nsourceless = true",
        "script_location = a_package_that_is_not_there:history",
    ],
)
def test_what_only_alembic_can_tell_is_left_to_it(tree: Path, text: str) -> None:
    """Histories without source, and packages that aren't importable yet, take the slow way."""
    (tree / "alembic.ini").write_text(f"[alembic]\n{text}\n")

    with pytest.raises(NeedsAlembic):
        HistoryConfig(tree / "alembic.ini").layout()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "There is no"),
        ("", "can't be read|no script_location"),
        ("[other]\nscript_location = scripts\n", "no script_location"),
        ("[alembic]\nscript_location = nowhere\n", "does not exist"),
        ("[alembic]\nscript_location = 100%\n", "script_location can't be read"),
        ("script_location = scripts\n", "can't be read"),
        (
            "[alembic]\nscript_location = scripts\nversion_locations = x\npath_separator = tab\n",
            "path_separator",
        ),
    ],
)
def test_unusable_configuration_is_named(tree: Path, text: str | None, words: str) -> None:
    """The message names the file and what to correct."""
    if text is not None:
        (tree / "alembic.ini").write_text(text)

    with pytest.raises(ConfigurationError, match=words) as caught:
        HistoryConfig(tree / "alembic.ini").layout()
    assert "alembic.ini" in caught.value.message
    assert caught.value.hint


def test_changed_file_is_read_again_and_others_are_not(tree: Path) -> None:
    """A long-lived process sees edits; untouched files are parsed once."""
    (tree / "alembic.ini").write_text("[alembic]\nscript_location = scripts\n")
    reader = Reader(HistoryConfig(tree / "alembic.ini"), pytest.fail)
    before = reader.history()
    assert reader.history() is before

    write(tree / "scripts" / "versions", "added")

    assert set(reader.history().scripts) == {"one", "two", "added"}
    assert reader.history().scripts["one"] is before.scripts["one"]
