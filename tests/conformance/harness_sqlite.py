"""The harness of the fifth store: a file and revisions of its own."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from accord.conformance.files import AppHarness
from accord.conformance.harness import Edits
from tests.conformance.sqlite_store import FENCE, LEDGER, SqliteStore

_HEAD = '''"""A revision."""

import tests.conformance.sqlite_store as lite


def back(connection):
    {back}


class Migration(lite.Migration):
    dependencies = [{needs}]
    operations = [{operations}]
'''


def _revision(*operations: str, back: str = "pass", needs: str = "") -> str:
    """Write a revision of these operations; `back` is the body of a function of that name."""
    return _HEAD.format(back=back, needs=needs, operations=", ".join(operations))


_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)"
_CREATE = _revision('lite.CreateTable("tracks", {"id": "INTEGER PRIMARY KEY", "title": "TEXT NOT NULL"})')
_FILL = _revision(
    'lite.AddColumn("tracks", "plays", "INTEGER NOT NULL DEFAULT 0")',
    f'lite.RunSql("INSERT INTO tracks (id, title) {_NUMBERS} SELECT i, i FROM n", "DELETE FROM tracks")',
    'lite.RunSql("UPDATE tracks SET plays = plays + id", "UPDATE tracks SET plays = plays - id")',
    needs='("APP", "0001_tracks")',
)
_FINAL = _revision("""lite.RunSql("UPDATE tracks SET title = title || '!'")""", needs='("APP", "0002_plays")')
_STUCK = 'lite.CreateTable("stuck", {"id": "INTEGER"})'
_PYTHON = 'lite.RunPython("SELECT 1", back=back)'


class SqliteHarness(AppHarness):
    """A file for one test."""

    name = "sqlite"
    alias = "lite"
    package = "sqlite_revisions"
    step_names = ("0001_tracks", "0002_plays", "0003_titles")
    texts = (_CREATE, _FILL, _FINAL)
    half = Edits(
        begun=_revision(
            'lite.CreateTable("artists", {"id": "INTEGER"})', 'lite.AddColumn("nowhere", "a", "TEXT")'
        ),
        mended=_revision(
            'lite.CreateTable("artists", {"id": "INTEGER"})', 'lite.AddColumn("artists", "a", "TEXT")'
        ),
        edited=_revision(
            'lite.CreateTable("painters", {"id": "INTEGER"})', 'lite.AddColumn("painters", "a", "TEXT")'
        ),
    )
    refused = _revision('lite.RunSql("DELETE FROM nowhere", "SELECT 1")')
    stuck = Edits(
        begun=_revision(_PYTHON, _STUCK, back="raise ZeroDivisionError"),
        mended=_revision(_PYTHON, _STUCK),
        edited=_revision(_PYTHON.replace("SELECT 1", "SELECT 2"), _STUCK),
    )

    def __init__(self, folder: Path, url: str, app: str = "", texts: Mapping[str, str] | None = None) -> None:
        super().__init__(folder, url, app, texts)
        self._stores: list[SqliteStore] = []

    def store(self) -> SqliteStore:
        """Make a new store, as another process would."""
        self._stores.append(SqliteStore(self.alias, {"PATH": self.url}))
        return self._stores[-1]

    def close(self) -> None:
        """Let connections and the app go."""
        for store in self._stores:
            store.close()
        super().close()

    def observe(self) -> object:
        """Read tables and rows, by the library alone."""
        schema = self._rows("SELECT name, sql FROM sqlite_master ORDER BY name")
        tables = {name: sql for name, sql in schema if name not in (LEDGER, FENCE) and sql}
        return {name: (sql, self._rows(f"SELECT * FROM {name} ORDER BY 1")) for name, sql in tables.items()}

    def ledger_entries(self) -> Mapping[str, Mapping[str, object]]:
        """Read the ledger as it is."""
        if not self._rows(f"SELECT 1 FROM sqlite_master WHERE name = '{LEDGER}'"):
            return {}
        return {key: json.loads(entry) for key, entry in self._rows(f"SELECT key, entry FROM {LEDGER}")}

    def spoil(self) -> None:
        """Make the table of the first step exist with another definition."""
        self._rows("CREATE TABLE tracks (id TEXT)")

    def _rows(self, sql: str) -> list[Any]:
        with closing(sqlite3.connect(self.url, timeout=30)) as connection:
            return list(connection.execute(sql))
