"""
What differs between database products. The only module here that knows a product by name.

Everything else asks Django's `connection.features` or one of these objects.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation

from accord import connecting, db, limits, mongo_causes
from accord.causes import root_of
from accord.connecting import Trouble
from accord.errors import UnsupportedServer
from accord.limits import Limit
from accord.seam.describing import Description
from accord.seam.losses import LOOK_SECONDS, HowMany
from accord.seam.types import Language
from migrator.relational import documents
from migrator.relational.resuming import editor_class
from migrator.relational.tables import introspected, oids


class Vendor:
    """A database product about which nothing special is known."""

    language: ClassVar[Language] = Language.SQL
    has_columns: ClassVar[bool] = True
    """Are a table's columns declared, so that they can be compared?"""
    describes_tables: ClassVar[bool] = False
    """Does the server describe constraints and indexes in its own words (:mod:`.definitions`)?"""
    has_transactions: ClassVar[bool] = True
    """Can changes of the schema be rolled back?"""
    queues_for_locks: ClassVar[bool] = False
    """Does everybody wait behind a statement that waits for a lock, and can it be told how long it may?"""

    def limit_connect_time(self, settings: dict[str, Any], seconds: float) -> None:
        """Make a first connection give up after some seconds, unless the settings say otherwise."""

    def rows(
        self, settings: Mapping[str, Any], tables: Mapping[str, Sequence[str]]
    ) -> Mapping[str, Sequence[tuple[Any, ...]]] | None:
        """Read whole tables without Django's backend, where loading that is costly; else None."""
        return None

    def version(self, settings: Mapping[str, Any]) -> str | None:
        """Ask for the version without Django's backend, where loading that is costly; else None."""
        return None

    def check_version(self, connection: BaseDatabaseWrapper) -> str:
        """
        Return the server's version.

        Raises:
            UnsupportedServer: It is too old.
        """
        return ".".join(str(part) for part in connection.get_database_version())

    def is_set_read_only(self, settings: Mapping[str, Any]) -> bool:
        """Return whether the settings of a database make every connection read-only."""
        return False

    def refuses_writes(self, connection: BaseDatabaseWrapper) -> bool:
        """Return whether the server takes no writes from this connection."""
        return False

    def held(self, connection: BaseDatabaseWrapper, table: str, column: str = "") -> HowMany:
        """Count what a table holds, or the values of one of its columns; zero where there is none."""
        return HowMany(None)

    def trouble(self, error: BaseException) -> Trouble | None:
        """Return why the server doesn't let us work; None where an error is about the statement itself."""
        return None

    def limit(self, error: BaseException) -> Limit | None:
        """Return the limit that a statement ran into; None where an error is about none."""
        return None

    def is_conflict(self, error: BaseException) -> bool:
        """Return whether a driver's error says that an object of this name exists already."""
        return False

    def is_about_data(self, error: BaseException) -> bool:
        """Return whether a driver's message may quote personal data."""
        return False

    def resuming_editor(self, connection: BaseDatabaseWrapper) -> BaseDatabaseSchemaEditor:
        """Return a schema editor for an operation that a kill may have left half done."""
        return connection.schema_editor(atomic=False)

    def standing(self, connection: BaseDatabaseWrapper, names: Collection[str]) -> Collection[str]:
        """Return those tables that are there, of names as models write them."""
        return frozenset(names).intersection(connection.introspection.table_names())

    def introspected(self, connection: BaseDatabaseWrapper, table: str) -> AbstractContextManager[str]:
        """Yield the name by which Django's introspection finds a table that is there."""
        return nullcontext(table)

    def column_types(
        self, connection: BaseDatabaseWrapper, tables: Sequence[str]
    ) -> Mapping[tuple[str, str], str]:
        """Return the live type of each column, normalised as :meth:`normalised` does; may be empty."""
        return {}

    def describe(self, connection: Any) -> Description | None:
        """Describe what stands; None where the product can't be described."""
        return None

    def unusable_indexes(self, connection: BaseDatabaseWrapper, tables: Sequence[str]) -> Collection[str]:
        """Name the indexes of tables that are there and that the server does not use."""
        return ()

    def normalised(self, column_type: str) -> str:
        """Write a column type as the server would."""
        return column_type


_SHORT_TYPES = {
    "varchar": "character varying",
    "char": "character",
    "bpchar": "character",
    "bool": "boolean",
    "int": "integer",
    "int4": "integer",
    "int8": "bigint",
    "int2": "smallint",
    "serial": "integer",
    "bigserial": "bigint",
    "smallserial": "smallint",
    "decimal": "numeric",
    "timestamptz": "timestamp with time zone",
    "timestamp": "timestamp without time zone",
    "time": "time without time zone",
    "float8": "double precision",
    "float4": "real",
    "varbit": "bit varying",
}
_TYPE = re.compile(
    r"^(?P<name>[a-z_][a-z0-9_ .]*?)\s*(?P<size>\([^)]*\))?(?P<rest>( with(out)? time zone)?(\[\d*\])*)$"
)


class PostgreSQL(Vendor):
    """PostgreSQL 14 and newer."""

    OLDEST = 140000
    describes_tables = True
    queues_for_locks = True

    def limit_connect_time(self, settings: dict[str, Any], seconds: float) -> None:
        settings["OPTIONS"].setdefault("connect_timeout", max(2, round(seconds)))

    _READ_ONLY = re.compile(r"default_transaction_read_only\s*=\s*(on|true|yes|1)\b", re.IGNORECASE)

    def is_set_read_only(self, settings: Mapping[str, Any]) -> bool:
        options = settings.get("OPTIONS", {}).get("options") or ""
        return self._READ_ONLY.search(str(options)) is not None

    def refuses_writes(self, connection: BaseDatabaseWrapper) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean")
            return bool(cursor.fetchone() == (True,))

    def check_version(self, connection: BaseDatabaseWrapper) -> str:
        number: int = connection.pg_version  # type: ignore[attr-defined]  # PostgreSQL's wrapper has it
        version = f"{number // 10000}.{number % 10000}"
        if number < self.OLDEST:
            raise UnsupportedServer(
                f"The store “{connection.alias}” is PostgreSQL {version}; the oldest supported is 14.",
                hint="Upgrade the server, or point the alias at a newer one.",
            )
        return version

    def trouble(self, error: BaseException) -> Trouble | None:
        return connecting.trouble_of(error)

    def limit(self, error: BaseException) -> Limit | None:
        return limits.limit_of(error)

    def is_conflict(self, error: BaseException) -> bool:
        return connecting.code_of(error) in {"42P07", "42701", "42710", "42723", "42P06"}

    def is_about_data(self, error: BaseException) -> bool:
        return (connecting.code_of(error) or "").startswith("22")

    def standing(self, connection: BaseDatabaseWrapper, names: Collection[str]) -> Collection[str]:
        return frozenset(oids(connection, list(names)))

    def introspected(self, connection: BaseDatabaseWrapper, table: str) -> AbstractContextManager[str]:
        return introspected(connection, table)

    def column_types(
        self, connection: BaseDatabaseWrapper, tables: Sequence[str]
    ) -> Mapping[tuple[str, str], str]:
        names = {oid: name for name, oid in oids(connection, tables).items()}
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a "
                "WHERE a.attrelid = ANY(%s) AND a.attnum > 0 AND NOT a.attisdropped",
                [list(names)],
            )
            return {(names[oid], column): self.normalised(found) for oid, column, found in cursor.fetchall()}

    def describe(self, connection: Any) -> Description | None:
        from migrator.describing import sql

        def ask(question: str) -> sql.Rows:
            cursor.execute(question)
            rows: sql.Rows = cursor.fetchall()
            return rows

        with connection.cursor() as cursor:
            return sql.describe(ask)

    def unusable_indexes(self, connection: BaseDatabaseWrapper, tables: Sequence[str]) -> Collection[str]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
                "WHERE NOT (i.indisvalid AND i.indisready) AND i.indrelid = ANY(%s)",
                [list(oids(connection, tables).values())],
            )
            return {name for (name,) in cursor.fetchall()}

    def normalised(self, column_type: str) -> str:
        text = " ".join(column_type.lower().replace('"', "").split())
        match = _TYPE.match(text)
        if match is None:
            return text.replace(" ", "")
        name, size, rest = match["name"].strip(), (match["size"] or "").replace(" ", ""), match["rest"] or ""
        if name in ("timestamp", "time") and "time zone" in rest:
            return f"{name}{size}{rest}".replace(" ", "")
        return f"{_SHORT_TYPES.get(name, name)}{size}{rest}".replace(" ", "")


class MongoDB(Vendor):
    """MongoDB behind django-mongodb-backend, whose DDL can't be rolled back."""

    language = Language.MONGO
    has_columns = False
    has_transactions = False

    def limit_connect_time(self, settings: dict[str, Any], seconds: float) -> None:
        if "serverselectiontimeoutms" not in str(settings["HOST"]).lower():
            settings["OPTIONS"].setdefault("serverSelectionTimeoutMS", int(seconds * 1000))

    def rows(
        self, settings: Mapping[str, Any], tables: Mapping[str, Sequence[str]]
    ) -> Mapping[str, Sequence[tuple[Any, ...]]] | None:
        return documents.rows(settings, tables)

    def version(self, settings: Mapping[str, Any]) -> str | None:
        return documents.version(settings)

    def held(self, connection: Any, table: str, column: str = "") -> HowMany:
        wanted = {column: {"$ne": None}} if column else {}
        collection = connection.get_collection(table)
        try:
            return HowMany(collection.count_documents(wanted, maxTimeMS=int(LOOK_SECONDS * 1000)))
        except Exception as exc:
            if type(exc).__name__ != "ExecutionTimeout":
                raise
            return HowMany(None)

    def describe(self, connection: Any) -> Description | None:
        from accord.mongo_describing import describe

        found = {each["name"]: each.get("options", {}) for each in connection.database.list_collections()}
        return describe(found, lambda name: connection.database[name].list_indexes(), _BOOKS)

    def trouble(self, error: BaseException) -> Trouble | None:
        return mongo_causes.trouble_of(error)

    def limit(self, error: BaseException) -> Limit | None:
        return mongo_causes.limit_of(error)

    def is_conflict(self, error: BaseException) -> bool:
        root = root_of(error)
        # NamespaceExists, IndexOptionsConflict, IndexKeySpecsConflict
        return getattr(root, "code", None) in {48, 85, 86} or type(root).__name__ == "CollectionInvalid"

    def is_about_data(self, error: BaseException) -> bool:
        return True

    def resuming_editor(self, connection: BaseDatabaseWrapper) -> BaseDatabaseSchemaEditor:
        editor: BaseDatabaseSchemaEditor = editor_class(connection.SchemaEditorClass)(
            connection, atomic=False
        )
        return editor


_BOOKS = ("django_migrations",)
"""What Django makes for itself when it first migrates a database."""
_VENDORS: Mapping[str, Vendor] = {"postgresql": PostgreSQL(), "mongodb": MongoDB()}
_ANY = Vendor()


def vendor_of_engine(engine: str) -> Vendor:
    """Return what is known of a product by its entry `ENGINE`; see :func:`accord.db.product_of`."""
    return _VENDORS.get(db.product_of(engine), _ANY)


def vendor_of(connection: BaseDatabaseWrapper) -> Vendor:
    """Return what is known of the product behind a connection."""
    return _VENDORS.get(connection.vendor, _ANY)


def is_concurrent(operation: Operation) -> bool:
    """Return whether an operation builds or drops an index in PostgreSQL's way that allows no transaction."""
    module = sys.modules.get("django.contrib.postgres.operations")
    return module is not None and isinstance(operation, module.NotInTransactionMixin)


_PLAIN_MODULES = (
    "django.db.migrations.operations.models",
    "django.db.migrations.operations.fields",
    "django.contrib.postgres.operations",
)


def fits_a_transaction(operation: Operation) -> bool:
    """Return whether an operation is one of Django's own that only changes the schema, at once."""
    return type(operation).__module__ in _PLAIN_MODULES and not is_concurrent(operation)
