"""
A history's env.py, run as it is, with a visitor of ours in place of Alembic's own command.

Importing this module imports Alembic and SQLAlchemy; nothing on the way of a run with nothing
to do may import it.
"""

from __future__ import annotations

import logging.config
import os
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any, Protocol

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from accord.errors import AccordError, ConfigurationError, RevisionUnreadable, UnsupportedServer
from accord.secrets.redact import first_line
from migrator.alembic.failures import translate
from migrator.alembic.layout import HistoryConfig
from migrator.alembic.ledger import Ask
from migrator.alembic.options import AlembicOptions
from migrator.alembic.scripts import Script, from_module

# `alembic.context` and `alembic.op` stand for one environment at a time in a process.
_TURN = threading.RLock()


class Visitor(Protocol):
    """What is to be done once env.py has connected and calls `context.run_migrations()`."""

    def begin(self, context: MigrationContext) -> None:
        """Prepare, before Alembic reads its heads."""
        ...

    def steps(self, heads: Sequence[str], context: MigrationContext) -> Iterable[RevisionStep]:
        """Return the revisions to run, from the heads that Alembic has read."""
        ...


class HistoryEnvironment:
    """
    The environment of one history.

    Args:
        alias: Store that it belongs to, for messages.
        options: The store's options.
        config: The history's configuration.
    """

    def __init__(self, alias: str, options: AlembicOptions, config: HistoryConfig) -> None:
        self._alias = alias
        self._options = options
        self._config = config
        self._directory: ScriptDirectory | None = None
        self._seen: object = None

    def directory(self, history: object = None) -> ScriptDirectory:
        """
        Return Alembic's view of the files.

        Args:
            history: What our own reading gave; a new object means that files have changed.
        """
        if self._directory is None or (history is not None and self._seen is not history):
            with self._translated(""):
                self._directory = self._read_directory()
            self._seen = history
        return self._directory

    def run(self, visitor: Visitor, *, what: str = "", looks_only: bool = False) -> None:
        """
        Run env.py against the database.

        Args:
            visitor: What is done in it.
            what: The step that it is done for, for messages.
            looks_only: Whether the database stays as it is, Alembic's table included.

        Raises:
            AccordError: env.py, the revision or the database failed.
        """
        self._run(visitor, what, StringIO(), dont_mutate=looks_only)

    def render(self, visitor: Visitor, heads: Sequence[str], *, what: str = "") -> None:
        """
        Run env.py in its offline mode, in which nothing connects.

        Args:
            visitor: What is done in it.
            heads: Heads to start from.
            what: The step that it is done for, for messages.

        Raises:
            AccordError: env.py or the revision can't do without a database.
        """
        # Alembic takes "no heads" for "not said"; base says it.
        self._run(visitor, what, StringIO(), as_sql=True, starting_rev=tuple(heads) or "base")

    def _run(self, visitor: Visitor, what: str, output: StringIO, **opts: Any) -> None:
        with _TURN, self._translated(what):
            directory = self.directory()
            environment = EnvironmentContext(
                self._alembic_config(output), directory, fn=visitor.steps, **opts
            )
            ran = _intercept(environment, visitor)
            with environment, _own_logging():
                directory.run_env()
            if not ran:
                raise ConfigurationError(
                    f"{directory.env_py_location} ended without calling context.run_migrations().",
                    hint="Let env.py call it in both modes, as the file that `alembic init` writes does.",
                )

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        try:
            yield
        except AccordError:
            raise
        except (Exception, SystemExit) as exc:
            raise translate(exc, self._alias, what) from exc

    def _alembic_config(self, output: StringIO) -> Config:
        ini, toml = self._config.ini, self._config.toml
        config = Config(
            str(ini) if ini.is_file() else None,
            toml_file=str(toml) if toml.is_file() else None,
            ini_section=self._options.section,
            output_buffer=output,
            stdout=output,
        )
        written = config.get_alembic_option("script_location")
        if written and not _names_package(written):
            _set(config, "script_location", str(self._config.locate(written)))
        if self._options.url:
            driver = _driver(config.get_main_option("sqlalchemy.url"))
            _set(config, "sqlalchemy.url", self._options.url.for_sqlalchemy(driver))
        return config

    def _read_directory(self) -> ScriptDirectory:
        config = self._alembic_config(StringIO())
        before = list(sys.path)
        added = [str(self._config.locate(path)) for path in config.get_prepend_sys_paths_list() or ()]
        sys.path[:0] = added
        directory = ScriptDirectory.from_config(config)
        # Alembic puts relative paths in front, again with every reading; ours are absolute, and once.
        sys.path[:] = list(dict.fromkeys([*added, *before]))
        directory.version_locations = [
            place if _names_package(place) else str(self._config.locate(place))
            for place in directory.version_locations
        ]
        return directory

    def scripts(self) -> Sequence[Script]:
        """
        Read the revisions through Alembic: slower, and right for every layout that it knows.

        Raises:
            RevisionUnreadable: A file can't be imported.
        """
        directory = self._directory = self._read_directory()
        try:
            found = list(directory._load_revisions())  # noqa: SLF001 - walk_revisions stops at a broken graph
        except Exception as exc:
            raise RevisionUnreadable(
                f"Alembic can't read {directory.dir}: {type(exc).__name__}: {first_line(exc)}.",
                hint="Try the history alone: alembic history.",
            ) from exc
        return [from_module(Path(script.path), script.module) for script in found]


def asker(connection: Connection | None) -> Ask:
    """
    Send statements through a connection of SQLAlchemy, in whatever transaction it is.

    Raises:
        UnsupportedServer: There is no connection, or it isn't one to PostgreSQL.
    """
    if connection is None or connection.dialect.name != "postgresql":
        kind = connection.dialect.name if connection is not None else "nothing"
        raise UnsupportedServer(
            f"env.py connects to {kind}; Alembic histories run on PostgreSQL here.",
            hint="Point sqlalchemy.url, or URL in the store's options, to PostgreSQL.",
        )

    def ask(sql: str, values: Mapping[str, object]) -> Sequence[Sequence[Any]]:
        answer = connection.execute(text(sql), dict(values))
        return answer.fetchall() if answer.returns_rows else []

    return ask


def _intercept(environment: EnvironmentContext, visitor: Visitor) -> list[bool]:
    """Begin the visitor before Alembic's run_migrations; the list says whether that happened."""
    ran: list[bool] = []
    run_migrations = environment.run_migrations

    def begin_and_run(**kw: Any) -> None:
        if ran:
            raise ConfigurationError(
                "env.py runs the migrations of several databases in one go.",
                hint="Configure one store for each database; SECTION and URL tell them apart.",
            )
        ran.append(True)
        visitor.begin(environment.get_context())
        run_migrations(**kw)

    environment.run_migrations = begin_and_run  # type: ignore[method-assign]  # Alembic's module proxy asks the instance
    return ran


@contextmanager
def _own_logging() -> Iterator[None]:
    """
    Keep env.py from configuring the logging of the whole process.

    The env.py that `alembic init` writes calls `fileConfig`, which silences every logger that
    exists already: right for the `alembic` command, wrong inside a Django project.
    """
    configure = logging.config.fileConfig
    logging.config.fileConfig = _nothing
    try:
        yield
    finally:
        logging.config.fileConfig = configure


def _nothing(*_: object, **__: object) -> None:
    """Stand in for a function that is not to act."""


def _set(config: Config, name: str, value: str) -> None:
    config.set_main_option(name, value.replace("%", "%%"))


def _names_package(location: str) -> bool:
    return ":" in location and not os.path.isabs(location)  # noqa: PTH117 - Alembic's own test


def _driver(url: str | None) -> str:
    scheme, _, driver = (url or "").partition("://")[0].partition("+")
    return driver if scheme == "postgresql" else ""
