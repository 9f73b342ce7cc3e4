"""What harnesses have in common whose revisions are files that the test writes."""

from __future__ import annotations

import importlib
import json
import sys
import uuid
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from django.apps import AppConfig, apps

from accord.seam.stores import Store
from accord.seam.types import Step, StepKey


class RevisionFiles:
    """
    Revision files of one test.

    Attributes:
        revisions: The folder that they are in.
    """

    leaves_traces = False
    """May a revert leave something, because the server takes it back in no way?"""
    revisions: Path

    def write_revision(self, name: str, text: str) -> Path:
        """Write a revision file and make the loader see it."""
        path = self.revisions / f"{name}.py"
        path.write_text(text)
        self.files_changed()
        return path

    def edit(self, name: str, *, comment_only: bool) -> None:
        """Change a revision file in its meaning, or in a comment alone."""
        addition = "# Looked at again.\n" if comment_only else "CHANGED = True\n"
        self.write_revision(name, (self.revisions / f"{name}.py").read_text() + addition)

    def remove(self, name: str) -> None:
        """Delete a revision file."""
        (self.revisions / f"{name}.py").unlink()
        self.files_changed()

    def files_changed(self) -> None:
        """Refresh the loader; nothing is needed where it reads the folder each time."""


class ServerHarness(RevisionFiles, ABC):
    """
    A harness whose store is a server: another process can work in the same namespace.

    Attributes:
        alias: Of the store.
        app: Label of the app.
        folder: Where the test's files are.
        url: Address of a place on the server that no other process uses.
    """

    name: ClassVar[str]
    step_names: ClassVar[tuple[str, str, str]]
    alias: str
    app: str
    folder: Path
    url: str

    @abstractmethod
    def store(self) -> Store:
        """Return a new store, as another process would."""

    @abstractmethod
    def to_json(self) -> Mapping[str, Any]:
        """Describe where the namespace is, for another process."""

    def key(self, name: str) -> StepKey:
        """Return the key of a step."""
        return StepKey(self.alias, self.app, name)

    def step(self, name: str) -> Step:
        """Read a step from disk."""
        return next(step for step in self.store().steps() if step.key == self.key(name))

    def script(self, action: str) -> list[str]:
        """Return the command that does a step in a process of its own; the step's name follows."""
        namespace = json.dumps(self.to_json())
        path = f"{type(self).__module__}:{type(self).__qualname__}"
        return [sys.executable, "-m", "accord.conformance.crash", path, namespace, action]


class AppHarness(ServerHarness):
    """
    A harness whose revisions belong to a Django app of its own, made for one test.

    Args:
        folder: Where the app's package goes.
        url: Address of a place on the server that no other process uses.
        app: Label of the app; a new one if it is not given.
        texts: The revisions' texts by name, instead of the three usual ones; `APP` in them stands
            for the label.
    """

    package: ClassVar[str]
    """The app's sub-package that holds the revisions."""
    texts: ClassVar[Sequence[str]]
    """What the files of `step_names` hold."""

    def __init__(self, folder: Path, url: str, app: str = "", texts: Mapping[str, str] | None = None) -> None:
        self.folder, self.url = folder, url
        self.app = app or f"music_{uuid.uuid4().hex[:8]}"
        self.revisions = folder / self.app / self.package
        if not self.revisions.exists():
            self._write_app(texts or dict(zip(self.step_names, self.texts, strict=True)))
        self._register_app()

    def to_json(self) -> Mapping[str, Any]:
        """Describe where it is, for another process."""
        return {"folder": str(self.folder), "url": self.url, "app": self.app}

    @classmethod
    def from_json(cls, data: Mapping[str, str]) -> Self:
        """Return the namespace that another process described."""
        return cls(Path(data["folder"]), data["url"], data["app"])

    def close(self) -> None:
        """Remove the app from Django and from Python."""
        self.files_changed()
        sys.modules.pop(self.app, None)
        apps.app_configs.pop(self.app, None)
        apps.clear_cache()
        if str(self.folder) in sys.path:
            sys.path.remove(str(self.folder))

    def write_revision(self, name: str, text: str) -> Path:
        """Write a revision file and make the loader see it."""
        return super().write_revision(name, text.replace("APP", self.app))

    def files_changed(self) -> None:
        """Make Python import the files anew."""
        for name in [name for name in sys.modules if name.startswith(f"{self.app}.")]:
            del sys.modules[name]
        importlib.invalidate_caches()

    def _write_app(self, texts: Mapping[str, str]) -> None:
        self.revisions.mkdir(parents=True)
        (self.revisions.parent / "__init__.py").touch()
        (self.revisions / "__init__.py").touch()
        for name, text in texts.items():
            self.write_revision(name, text)

    def _register_app(self) -> None:
        sys.path.insert(0, str(self.folder))
        importlib.invalidate_caches()
        config = AppConfig(self.app, importlib.import_module(self.app))
        config.apps, config.models = apps, {}
        apps.app_configs[self.app] = config
        apps.clear_cache()
