"""The harness of the Alembic store: a database and a history of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extras import RealDictCursor

from accord.conformance.files import ServerHarness
from migrator.alembic.store import AlembicStore

ALIAS = "alembic"
LEDGER = "accord_ledger_alembic"
BOOKS = ("alembic_version", LEDGER, "accord_fence_alembic", "accord_mark_alembic")

INI = """[alembic]
script_location = %(here)s
path_separator = os
sqlalchemy.url = postgresql+psycopg2://nobody@127.0.0.1:1/nowhere
"""

ENV = '''"""Connects as the configuration says."""

from __future__ import annotations

from alembic import context
from sqlalchemy import engine_from_config, pool

if context.is_offline_mode():
    context.configure(url=context.config.get_main_option("sqlalchemy.url"), literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    options = context.config.get_section(context.config.config_ini_section, {})
    engine = engine_from_config(options, prefix="sqlalchemy.", poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
'''

_CREATE = '''"""Earnings of tracks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001_earnings"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "earning",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("track", sa.Text, nullable=False),
    )
    op.create_index("earning_track", "earning", ["track"])


def downgrade() -> None:
    op.drop_table("earning")
'''

_FILL = '''"""Earnings have amounts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002_amounts"
down_revision = "0001_earnings"


def upgrade() -> None:
    op.add_column("earning", sa.Column("amount", sa.Integer, nullable=False, server_default="0"))
    op.execute("INSERT INTO earning (id, track) SELECT n, 'n' || n % 7 FROM generate_series(1, 300) AS n")
    op.execute("UPDATE earning SET amount = amount + id")


def downgrade() -> None:
    op.execute("DELETE FROM earning WHERE id <= 300")
    op.drop_column("earning", "amount")
'''

_FINAL = '''"""Amounts alone count from now on."""

from __future__ import annotations

from alembic import op

revision = "0003_final"
down_revision = "0002_amounts"


def upgrade() -> None:
    op.execute("DELETE FROM earning WHERE amount % 2 = 1")
    op.drop_column("earning", "track")


def downgrade() -> None:
    raise NotImplementedError("The names of the tracks are gone.")
'''

_COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull,
       pg_get_expr(d.adbin, d.adrelid) AS value
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY 1, 2
"""
_INDEXES = (
    "SELECT tablename AS relname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname"
)


class AlembicHarness(ServerHarness):
    """
    A history and a database for one test.

    Args:
        folder: Where the history is; it is written when it isn't there.
        url: Address of a database that nobody else uses.
        options: Further options of the store.
    """

    name = "alembic"
    alias = ALIAS
    step_names = ("0001_earnings", "0002_amounts", "0003_final")
    app = "royalties"

    def __init__(self, folder: Path, url: str, options: Mapping[str, str] | None = None) -> None:
        self.folder, self.url = folder, url
        self.options = dict(options or {})
        self.revisions = folder / "versions"
        if not self.revisions.exists():
            self._write_history()

    # --- the namespace ----------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """Say where it is, for another process."""
        return {"folder": str(self.folder), "url": self.url, "options": self.options}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> AlembicHarness:
        """Find the namespace that another process said."""
        return cls(Path(data["folder"]), data["url"], data["options"])

    def store(self) -> AlembicStore:
        """Make a new store, as another process would."""
        base = {"CONFIG": str(self.folder / "alembic.ini"), "APP": self.app, "URL": self.url}
        return AlembicStore(ALIAS, {**base, **self.options})

    def close(self) -> None:
        """Nothing is held."""

    # --- what stands there --------------------------------------------------------------------------

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[dict[str, Any]]:
        """Ask the database, by the driver alone; `sql` may write as well."""
        connection = psycopg2.connect(self.url)
        try:
            with connection, connection.cursor(cursor_factory=RealDictCursor) as cursor:
                cursor.execute(sql, tuple(values))
                return [dict(row) for row in cursor.fetchall()] if cursor.description else []
        finally:
            connection.close()

    def observe(self) -> object:
        """Read tables, indexes and rows."""
        columns = [row for row in self.rows(_COLUMNS) if row["relname"] not in BOOKS]
        tables = sorted({row["relname"] for row in columns})
        return {
            "columns": columns,
            "indexes": [row for row in self.rows(_INDEXES) if row["relname"] not in BOOKS],
            "rows": {table: sorted(map(repr, self.rows(f'SELECT * FROM "{table}"'))) for table in tables},
        }

    def heads(self) -> set[str]:
        """Read Alembic's own table."""
        if not self.has_table("alembic_version"):
            return set()
        return {row["version_num"] for row in self.rows("SELECT version_num FROM alembic_version")}

    def has_table(self, name: str) -> bool:
        """Tell whether a table exists."""
        return bool(self.rows("SELECT to_regclass(%s) IS NOT NULL AS there", [name])[0]["there"])

    def ledger_entries(self) -> Mapping[str, Mapping[str, object]]:
        """Read the ledger as it is."""
        if not self.has_table(LEDGER):
            return {}
        return {row["revision"]: row for row in self.rows(f"SELECT * FROM {LEDGER}")}

    def spoil(self) -> None:
        """Make the table of the first step exist with another definition."""
        self.rows("CREATE TABLE earning (id uuid, track integer)")

    def rewrite_mark(self, name: str, form: int) -> None:
        """Change the form of a mark."""
        self.rows("UPDATE accord_mark_alembic SET form = %s WHERE name = %s", [form, name])

    # --- files ----------------------------------------------------------------------------------------

    def _write_history(self) -> None:
        self.revisions.mkdir(parents=True)
        (self.folder / "alembic.ini").write_text(INI)
        (self.folder / "env.py").write_text(ENV)
        for name, text in zip(self.step_names, (_CREATE, _FILL, _FINAL), strict=True):
            self.write_revision(name, text)
