"""The harnesses of the relational store: Django's migrations on PostgreSQL, and on MongoDB through Django."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.db import connections

from accord.conformance.files import AppHarness
from migrator.relational.store import RelationalStore

_CREATE = '''"""Artists and their tracks."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = []
    operations = [
        migrations.CreateModel(
            "Artist",
            fields=[
                ("id", models.BigIntegerField(primary_key=True)),
                ("name", models.CharField(max_length=80, unique=True)),
                ("country", models.CharField(max_length=2, db_index=True, default="FR")),
            ],
        ),
        migrations.CreateModel(
            "Track",
            fields=[
                ("id", models.BigIntegerField(primary_key=True)),
                ("title", models.CharField(max_length=80)),
                ("artist", models.ForeignKey("APP.artist", models.CASCADE)),
            ],
            options={"unique_together": {("artist", "title")}},
        ),
    ]
'''

_FILL = '''"""Artists are many, and found by the number of their plays."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


def fill(apps, schema_editor):
    Artist = apps.get_model("APP", "artist")
    artists = Artist.objects.using(schema_editor.connection.alias)
    for number in range(60):
        artists.create(id=number, name=f"n{number}", plays=number * 3)


def empty(apps, schema_editor):
    apps.get_model("APP", "artist").objects.using(schema_editor.connection.alias).all().delete()


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("APP", "0001_artists")]
    operations = [
        migrations.AddField("artist", "plays", models.BigIntegerField(default=0)),
        AddIndexConcurrently("artist", models.Index(fields=["-plays"], name="APP_plays")),
        migrations.RunPython(fill, empty, atomic=True),
        migrations.AddConstraint(
            "artist", models.CheckConstraint(condition=models.Q(plays__gte=0), name="APP_plays_positive")
        ),
    ]
'''

_FINAL = '''"""Nobody asks for the country any more."""

from django.db import migrations


def shout(apps, schema_editor):
    for artist in apps.get_model("APP", "artist").objects.using(schema_editor.connection.alias):
        artist.name = artist.name.upper()
        artist.save()


class Migration(migrations.Migration):
    dependencies = [("APP", "0002_plays")]
    operations = [
        migrations.RunPython(shout),
        migrations.RenameField("artist", "name", "title"),
        migrations.RemoveField("artist", "country"),
    ]
'''


class RelationalHarness(AppHarness):
    """A namespace of the relational store for one test."""

    name = "relational"
    package = "migrations"
    step_names = ("0001_artists", "0002_plays", "0003_upper")
    texts = (_CREATE, _FILL, _FINAL)

    def __init__(self, folder: Path, url: str, app: str = "", texts: Mapping[str, str] | None = None) -> None:
        super().__init__(folder, url, app, texts)
        self.alias = f"db_{self.app}"
        connections.databases[self.alias] = self._database()
        connections.configure_settings(connections.databases)

    def store(self) -> RelationalStore:
        """Make a new store, as another process would."""
        return RelationalStore(self.alias, {})

    def close(self) -> None:
        """Let connections and the app go."""
        self._disconnect()
        connections.databases.pop(self.alias, None)
        super().close()

    # --- what stands there --------------------------------------------------------------------------

    def observe(self) -> object:
        """Read columns, constraints, indexes and rows."""
        tables = [
            name for (name,) in self._query(_TABLES) if not name.startswith(("accord_", "django_migrations"))
        ]
        return {
            "columns": self._query(_COLUMNS, [tables]),
            "constraints": self._query(_CONSTRAINTS, [tables]),
            "indexes": self._query(_INDEXES, [tables]),
            "rows": {table: sorted(self._query(f'SELECT t::text FROM "{table}" t')) for table in tables},
        }

    def ledger_entries(self) -> Mapping[str, Mapping[str, object]]:
        """Read the ledger as it is."""
        if "accord_ledger" not in self.tables():
            return {}
        rows = self._query("SELECT app || '.' || name, to_jsonb(l) FROM accord_ledger l")
        return {name: json.loads(entry) if isinstance(entry, str) else entry for name, entry in rows}

    def recorded(self) -> set[str]:
        """Read the names in Django's own table."""
        if "django_migrations" not in self.tables():
            return set()
        found = self._query("SELECT name FROM django_migrations WHERE app = %s", [self.app])
        return {name for (name,) in found}

    def tables(self) -> set[str]:
        """Name every table, the ledger's included."""
        return {name for (name,) in self._query(_TABLES)}

    def execute(self, statement: str) -> None:
        """Change something by hand."""
        self._query(statement)

    def spoil(self) -> None:
        """Make the table of the first step exist with another definition."""
        self._query(f"CREATE TABLE {self.app}_artist (id integer)")

    def rewrite_mark(self, name: str, form: int) -> None:
        """Change the form of a mark."""
        self._query("UPDATE accord_mark SET form = %s WHERE id = %s", [form, name])

    def _query(self, sql: str, params: Any = None) -> list[tuple[Any, ...]]:
        """Ask by the driver alone, past Django."""
        import psycopg2

        connection = psycopg2.connect(self.url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(sql, params)
                return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()

    def _disconnect(self) -> None:
        connections[self.alias].close()
        del connections[self.alias]

    def _database(self) -> dict[str, Any]:
        return dict(environ.Env.db_url_config(self.url))


_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
_COLUMNS = """
    SELECT table_name, column_name, data_type, is_nullable, column_default
    FROM information_schema.columns WHERE table_name = ANY(%s) ORDER BY table_name, ordinal_position
"""
_CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid::regclass::text = ANY(%s) AND contype <> 'n' ORDER BY 1, 2
"""
_INDEXES = """
    SELECT t.relname, c.relname, i.indisvalid, i.indisready, pg_get_indexdef(c.oid)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
    WHERE t.relname = ANY(%s) ORDER BY 1, 2
"""

_FILL_DOCUMENTS = '''"""Artists are many, and found by the number of their plays."""

from django.db import migrations, models


def fill(apps, schema_editor):
    artists = apps.get_model("APP", "artist").objects.using(schema_editor.connection.alias)
    for number in range(60):
        artists.update_or_create(id=number, defaults={"name": f"n{number}", "plays": number * 3})


def empty(apps, schema_editor):
    apps.get_model("APP", "artist").objects.using(schema_editor.connection.alias).all().delete()


class Migration(migrations.Migration):
    dependencies = [("APP", "0001_artists")]
    operations = [
        migrations.AddField("artist", "plays", models.BigIntegerField(default=0)),
        migrations.AddIndex("artist", models.Index(fields=["-plays"], name="APP_plays")),
        migrations.RunPython(fill, empty),
        migrations.AddField("artist", "rank", models.IntegerField(default=1, unique=False, db_index=True)),
    ]
'''


class DocumentsHarness(RelationalHarness):
    """The same store on MongoDB, through django-mongodb-backend."""

    name = "documents"
    texts = (
        _CREATE.replace("primary_key=True", 'primary_key=True, db_column="_id"'),
        _FILL_DOCUMENTS,
        _FINAL,
    )

    def observe(self) -> object:
        """Read collections, indexes and documents."""
        with self._client() as client:
            database = client.get_default_database()
            names = sorted(
                name
                for name in database.list_collection_names()
                if not name.startswith(("accord_", "django_migrations"))
            )
            return {
                name: (
                    sorted((str(index["name"]), str(index)) for index in database[name].list_indexes()),
                    [dict(sorted(document.items())) for document in database[name].find().sort("_id", 1)],
                )
                for name in names
            }

    def ledger_entries(self) -> Mapping[str, Mapping[str, object]]:
        """Read the ledger as it is."""
        with self._client() as client:
            entries = client.get_default_database()["accord_ledger"].find()
            return {f"{entry['app']}.{entry['name']}": entry for entry in entries}

    def recorded(self) -> set[str]:
        """Read the names in Django's own collection."""
        with self._client() as client:
            rows = client.get_default_database()["django_migrations"].find({"app": self.app})
            return {row["name"] for row in rows}

    def tables(self) -> set[str]:
        """Name every collection, the ledger's included."""
        with self._client() as client:
            return set(client.get_default_database().list_collection_names())

    def spoil(self) -> None:
        """Make the collection of the first step exist with another definition."""
        with self._client() as client:
            client.get_default_database().create_collection(f"{self.app}_artist", capped=True, size=4096)

    def rewrite_mark(self, name: str, form: int) -> None:
        """Change the form of a mark."""
        with self._client() as client:
            client.get_default_database()["accord_mark"].update_one({"id": name}, {"$set": {"form": form}})

    def _client(self) -> Any:
        from pymongo import MongoClient

        return MongoClient(self.url)

    def _disconnect(self) -> None:
        connection: Any = connections[self.alias]
        connection.close_pool()
        del connections[self.alias]

    def _database(self) -> dict[str, Any]:
        name = urlsplit(self.url).path.lstrip("/")
        return {"ENGINE": "django_mongodb_backend", "HOST": self.url, "NAME": name}


HARNESSES: Mapping[str, type[RelationalHarness]] = {
    harness.name: harness for harness in (RelationalHarness, DocumentsHarness)
}
