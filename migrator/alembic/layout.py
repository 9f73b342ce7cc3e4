"""
Where the revision files of a history are, read from its configuration without importing Alembic.

The rules are Alembic's own (tests hold the two against each other); what can't be told without
Alembic is left to it: packages that can't be found yet, and histories without source files.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from configparser import ConfigParser
from configparser import Error as IniError
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from accord import conf
from accord.errors import ConfigurationError

_SEPARATORS = {"space": " ", "newline": "\n", "os": os.pathsep, ":": ":", ";": ";"}
_LEGACY_SEPARATOR = re.compile(r", *|(?: +)")
# Alembic takes any name that ends so; editors' lock files and packages' __init__ are left out.
_REVISION_FILE = re.compile(r"(?!\.#|__init__).*\.py$")


@dataclass(frozen=True, kw_only=True)
class Layout:
    """
    Folders of a history.

    Attributes:
        script_location: Folder that holds env.py.
        version_locations: Folders that hold the revision files.
        recursive: Whether their sub-folders count too.
    """

    script_location: Path
    version_locations: tuple[Path, ...]
    recursive: bool = False

    def files(self) -> Iterator[Path]:
        """List the revision files in Alembic's order, each once, by their real paths."""
        seen: set[Path] = set()
        for folder in self.version_locations:
            # Symbolic links are followed folder by folder: asking for each file takes longer than parsing it.
            for path in self._inside(folder.resolve()):
                real = path.resolve() if path.is_symlink() else path
                if real not in seen:
                    seen.add(real)
                    yield real

    def _inside(self, folder: Path) -> Iterator[Path]:
        for root, folders, names in os.walk(folder):
            folders.sort()
            if not root.endswith("__pycache__"):
                yield from (Path(root, name) for name in sorted(names) if _REVISION_FILE.match(name))
            if not self.recursive:
                return


class NeedsAlembic(Exception):
    """The layout can only be told by Alembic itself."""


@dataclass(frozen=True)
class HistoryConfig:
    """
    The configuration of a history: an ini, a pyproject.toml, or both side by side.

    Attributes:
        path: The file that the store's options name.
        section: Section of the ini.
    """

    path: Path
    section: str = "alembic"

    @property
    def ini(self) -> Path:
        """The ini; it may be absent when a pyproject.toml says everything."""
        return self.path.with_name("alembic.ini") if self.path.suffix == ".toml" else self.path

    @property
    def toml(self) -> Path:
        """The pyproject.toml beside it; it may be absent."""
        return self.path if self.path.suffix == ".toml" else self.path.with_name("pyproject.toml")

    def locate(self, written: str) -> Path:
        """
        Make a path of the configuration absolute.

        Alembic starts from the working directory, which is nobody's choice under cron. Here a
        relative path starts from the folder of the configuration, where people run `alembic`,
        or from `BASE_DIR` when it is there and not beside the configuration.

        Args:
            written: The path as the configuration holds it.

        Raises:
            NeedsAlembic: It names a place in a package that isn't importable as it stands.
        """
        if ":" in written and not os.path.isabs(written):  # noqa: PTH117 - Alembic's own test
            return _inside_package(written)
        candidates = [self.path.parent.absolute() / written, conf.base_dir() / written]
        return next((path for path in candidates if path.exists()), candidates[0])

    def layout(self) -> Layout:
        """
        Find the folders.

        Raises:
            ConfigurationError: The configuration is missing, unreadable or without `script_location`.
            NeedsAlembic: Only Alembic can tell.
        """
        if self.option("sourceless") in ("true", True):
            raise NeedsAlembic
        scripts = self.locate(self.script_location)
        if not scripts.is_dir():
            raise ConfigurationError(
                f"{self.path}: the folder {scripts} of script_location does not exist.",
                hint="Correct script_location; a relative one starts from the folder of the configuration.",
            )
        written = self.version_locations
        return Layout(
            script_location=scripts,
            version_locations=tuple(self.locate(each) for each in written) or (scripts / "versions",),
            recursive=self.option("recursive_version_locations") in ("true", True),
        )

    @property
    def script_location(self) -> str:
        """
        The folder of env.py as it is written.

        Raises:
            ConfigurationError: It isn't written at all.
        """
        location = self.option("script_location")
        if isinstance(location, str):
            return location
        raise ConfigurationError(
            f"{self.path} has no script_location in [{self.section}].",
            hint="Create the history by `alembic init`, or correct SECTION in the store's options.",
        )

    @property
    def version_locations(self) -> Sequence[str]:
        """The folders of revisions as they are written; empty for the default."""
        written = self._ini_option("version_locations")
        if not written:
            from_toml = self._toml_option("version_locations")
            return from_toml if isinstance(from_toml, list) else ()
        name = self._ini_option("path_separator") or self._ini_option("version_path_separator")
        if name is None:
            return _LEGACY_SEPARATOR.split(written)
        if name not in _SEPARATORS:
            raise ConfigurationError(
                f"{self.path}: “{name}” is no path_separator.",
                hint=f"Choose one of {', '.join(_SEPARATORS)}.",
            )
        return [each.strip() for each in written.split(_SEPARATORS[name]) if each]

    def option(self, name: str) -> object:
        """
        Read an option, from the ini first, as Alembic does.

        Raises:
            ConfigurationError: A file can't be read.
        """
        value = self._ini_option(name)
        return self._toml_option(name) if value is None else value

    def _ini_option(self, name: str) -> str | None:
        try:
            return self._parser.get(self.section, name, fallback=None)
        except IniError as exc:
            raise ConfigurationError(
                f"{self.ini}: the option {name} can't be read ({type(exc).__name__}).",
                hint="Write a % that is meant as such twice: %%.",
            ) from exc

    @cached_property
    def _parser(self) -> ConfigParser:
        if not self.path.is_file():
            raise ConfigurationError(
                f"There is no {self.path}.",
                hint="Set CONFIG to the path of the alembic.ini, relative to BASE_DIR.",
            )
        parser = ConfigParser({"here": self.ini.absolute().parent.as_posix()})
        try:
            # Alembic reads its ini in the encoding of the machine.
            parser.read(self.ini, encoding="locale")
        except (IniError, UnicodeDecodeError) as exc:
            raise ConfigurationError(
                f"{self.ini} can't be read: {str(exc).splitlines()[0]}.", hint="Correct the file."
            ) from exc
        return parser

    def _toml_option(self, name: str) -> Any:
        value = self._toml_table.get(name)
        places = {"here": self.toml.absolute().parent.as_posix()}
        if isinstance(value, str):
            return value % places
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return [item % places for item in value]
        return value

    @cached_property
    def _toml_table(self) -> Mapping[str, Any]:
        content = self.toml.read_bytes() if self.toml.is_file() else b""
        if b"tool" not in content or b"alembic" not in content:
            return {}
        try:
            table = tomllib.loads(content.decode()).get("tool", {}).get("alembic", {})
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
            raise ConfigurationError(f"{self.toml} can't be read: {exc}.", hint="Correct the file.") from exc
        return table if isinstance(table, dict) else {}


def _inside_package(written: str) -> Path:
    package, *below = written.split(":")
    try:
        place = resources.files(package)
    except (ModuleNotFoundError, TypeError, ValueError) as exc:
        raise NeedsAlembic from exc
    for name in below:
        place = place / name
    if not isinstance(place, Path):
        raise NeedsAlembic
    return place
