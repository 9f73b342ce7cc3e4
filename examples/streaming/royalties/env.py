"""Alembic's environment of the royalties: where to connect, and which tables are ours."""

from __future__ import annotations

import os
from collections.abc import Mapping
from logging.config import fileConfig
from typing import Any

from alembic import context
from sqlalchemy import engine_from_config, pool

from migrator.alembic.addresses import address_of
from migrator.alembic.numbering import is_file_alone, numbered

OURS = ("royalties_", "alembic_version")

config = context.config
if config.config_file_name is not None:
    fileConfig(config.config_file_name)
if not is_file_alone(config) and not config.get_main_option("sqlalchemy.url"):
    # `alembic` by hand goes where `migrate_all` does: one set of settings names the database for both.
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")
    config.set_main_option("sqlalchemy.url", address_of("alembic").replace("%", "%%"))


def is_ours(name: str | None, kind: str, _parents: Mapping[Any, str | None]) -> bool:
    """Keep `--autogenerate` away from the tables that Django and Accord have in the same database."""
    return kind != "table" or (name or "").startswith(OURS)


def write_file() -> None:
    """Write an empty revision: no database is asked."""
    context.configure(dialect_name="postgresql", as_sql=True, process_revision_directives=numbered)
    context.run_migrations()


def run_offline() -> None:
    """Write SQL instead of sending it."""
    context.configure(url=config.get_main_option("sqlalchemy.url"), include_name=is_ours, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


def run_online() -> None:
    """Connect and run."""
    engine = engine_from_config(
        config.get_section(config.config_ini_section, {}), prefix="sqlalchemy.", poolclass=pool.NullPool
    )
    with engine.connect() as connection:
        context.configure(connection=connection, include_name=is_ours, process_revision_directives=numbered)
        with context.begin_transaction():
            context.run_migrations()


if is_file_alone(config):
    write_file()
elif context.is_offline_mode():
    run_offline()
else:
    run_online()
