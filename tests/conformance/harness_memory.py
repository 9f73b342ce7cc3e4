"""The harness of the store in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from accord.conformance.files import RevisionFiles
from accord.seam.types import Source, Step
from accord.testing import MemoryServer, MemoryStore, make_step


class MemoryHarness(RevisionFiles):
    """Three steps of text, and a server that is a dictionary."""

    name = "memory"
    app = "music"
    step_names = ("0001_playlists", "0002_plays", "0003_titles")

    def __init__(self, folder: Path) -> None:
        self.revisions = folder
        self.server = MemoryServer()
        for name in self.step_names:
            self.write_revision(name, f"name = {name!r}\n")

    def store(self) -> MemoryStore:
        return MemoryStore("memory", [self.step(name) for name in self.step_names], server=self.server)

    def step(self, name: str) -> Step:
        position = self.step_names.index(name)
        needs = [f"memory:music.{self.step_names[position - 1]}"] if position else []
        return replace(
            make_step(f"memory:music.{name}", *needs), source=Source(self.revisions / f"{name}.py")
        )

    def observe(self) -> object:
        return dict(self.server.objects)

    def ledger_entries(self) -> Mapping[str, Mapping[str, object]]:
        return {str(key): vars(entry) for key, entry in self.server.ledger.items()}

    def spoil(self) -> None:
        self.server.objects[self.step_names[0]] = "another content"

    def rewrite_mark(self, name: str, form: int) -> None:
        self.server.marks[name] = replace(self.server.marks[name], form=form)

    def script(self, action: str) -> list[str]:
        raise NotImplementedError("a store in memory has no other process")

    def close(self) -> None:
        self.server.objects.clear()
