"""Backups of a drill's stores, each of which can be restored alone: by pg_dump, as BSON, as documents."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accord.embedded import postgres_binary
from gdpr.drill.places import at

if TYPE_CHECKING:
    from pymongo.database import Database


class PostgresBackup:
    """
    A database of PostgreSQL.

    Args:
        server: URL of the server.
        name: The database.
        file: Where the backup is.
    """

    def __init__(self, server: str, name: str, file: Path) -> None:
        self._server = server
        self._name = name
        self._file = file

    def make(self) -> None:
        """Back up."""
        _run("pg_dump", "-Fc", "-f", str(self._file), at(self._server, self._name))

    def restore(self) -> None:
        """Drop the database, and make it as it was."""
        self.recreate()
        _run("pg_restore", "--exit-on-error", "-d", at(self._server, self._name), str(self._file))

    def recreate(self) -> None:
        """Drop the database where it is there, and make it empty."""
        url = at(self._server, "postgres")
        for statement in (
            f'DROP DATABASE IF EXISTS "{self._name}" WITH (FORCE)',
            f'CREATE DATABASE "{self._name}" TEMPLATE template0',
        ):
            _run("psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", statement)


def _run(program: str, *arguments: str) -> None:
    command = [str(postgres_binary(program)), *arguments]
    subprocess.run(command, check=True, capture_output=True, text=True)


class MongoBackup:
    """
    A database of MongoDB: collections with their options and indexes, and the documents byte by byte.

    Args:
        server: URL of the server.
        name: The database.
        file: Where the backup is.
    """

    def __init__(self, server: str, name: str, file: Path) -> None:
        self._server = server
        self._name = name
        self._file = file

    def make(self) -> None:
        """Back up."""
        from bson import encode

        with self._database() as database, self._file.open("wb") as file:
            for found in sorted(database.list_collections(), key=_is_view):
                name = str(found["name"])
                if name.startswith("system."):
                    continue
                view = bool(_is_view(found))
                indexes = [] if view else [dict(one) for one in database[name].list_indexes()]
                head = {"name": name, "options": dict(found["options"]), "indexes": indexes}
                file.write(encode({"collection": head}))
                for document in () if view else database[name].find():
                    file.write(encode({"document": document}))

    def restore(self) -> None:
        """Drop the database, and make it as it was."""
        from bson import decode_file_iter
        from bson.codec_options import CodecOptions
        from bson.raw_bson import RawBSONDocument

        with self._database() as database, self._file.open("rb") as file:
            database.client.drop_database(self._name)
            name = ""
            for line in decode_file_iter(file, CodecOptions(document_class=RawBSONDocument)):
                if "collection" in line:
                    name = self._begin(database, line["collection"])
                else:
                    database[name].insert_many([line["document"]], bypass_document_validation=True)

    @staticmethod
    def _begin(database: Database[Any], head: Any) -> str:
        from bson import SON

        name = str(head["name"])
        database.command(SON([("create", name), *head["options"].items()]))
        kept = [{key: one[key] for key in one if key not in ("v", "ns")} for one in head["indexes"]]
        indexes = [one for one in kept if one["name"] != "_id_"]
        if indexes:
            database.command(SON([("createIndexes", name), ("indexes", indexes)]))
        return name

    @contextmanager
    def _database(self) -> Iterator[Database[Any]]:
        from bson.raw_bson import RawBSONDocument
        from pymongo import MongoClient

        with MongoClient(self._server, document_class=RawBSONDocument) as client:
            yield client[self._name]


def _is_view(found: Any) -> bool:
    return str(found["type"]) == "view"
