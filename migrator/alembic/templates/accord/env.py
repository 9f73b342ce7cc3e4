"""Alembic's environment of a history that Accord runs: where to connect, and which tables are its own."""

from __future__ import annotations

import os
from logging.config import fileConfig

from alembic import context
from sqlalchemy import MetaData, engine_from_config, pool

from migrator.alembic.addresses import address_of
from migrator.alembic.numbering import is_file_alone, numbered

# Your tables', for `alembic revision --autogenerate`.
target_metadata: MetaData | None = None

config = context.config
if config.config_file_name is not None:
    fileConfig(config.config_file_name)
if not is_file_alone(config) and not config.get_main_option("sqlalchemy.url"):
    # `alembic` by hand goes where `migrate_all` does: one set of settings names the database for both.
    if named := config.get_main_option("django_settings"):
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", named)
    address = address_of(config.get_main_option("accord_store") or "alembic")
    config.set_main_option("sqlalchemy.url", address.replace("%", "%%"))


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Keep `--autogenerate` away from the tables that Django and Accord have in the same database."""
    return kind != "table" or (target_metadata is not None and name in target_metadata.tables)


def write_file() -> None:
    """Write an empty revision: no database is asked."""
    context.configure(dialect_name="postgresql", as_sql=True, process_revision_directives=numbered)
    context.run_migrations()


def run_offline() -> None:
    """Write SQL instead of sending it."""
    context.configure(
        url=config.get_main_option("sqlalchemy.url"),
        target_metadata=target_metadata,
        include_name=is_ours,
        literal_binds=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def run_online() -> None:
    """Connect and run."""
    engine = engine_from_config(
        config.get_section(config.config_ini_section, {}), prefix="sqlalchemy.", poolclass=pool.NullPool
    )
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=target_metadata,
            include_name=is_ours,
            process_revision_directives=numbered,
        )
        with context.begin_transaction():
            context.run_migrations()


if is_file_alone(config):
    write_file()
elif context.is_offline_mode():
    run_offline()
else:
    run_online()
