"""
What every embedded server has in common: one life cycle, safe at any moment.

A server's folder holds `state.json` (port), `lock`, `process` (who runs),
`ready` (who was seen answering), `server.log` and the data. Start and stop run
under the lock; looking takes no lock and costs a millisecond.
"""

from __future__ import annotations

import abc
import contextlib
import enum
import os
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from accord.embedded import faults, locks, ports, process
from accord.embedded.errors import EmbeddedDataUnusable, EmbeddedError, EmbeddedStartFailed
from accord.embedded.paths import EmbeddedPaths
from accord.embedded.state import SavedState
from accord.events import Reporter, ServerReady, ServerStarting, ServerStopped, silent

_POLL_SECONDS = 0.05
_KEPT_BY_RESET = frozenset({"lock", "state.json", "password"})


class Condition(enum.Enum):
    """How an embedded server is."""

    RUNNING = "running"
    """It was seen answering and its process lives."""
    STARTING = "starting"
    """Its process lives and was not yet seen answering."""
    STOPPED = "stopped"
    """No process of ours."""


@dataclass(frozen=True, kw_only=True)
class ServerState:
    """
    How an embedded server was found.

    Attributes:
        name: Which one.
        version: Of the server program.
        condition: Whether it runs.
        port: Where it listens, or will; None before the first time.
        pid: Its process, or None.
        data: Its data folder.
        log: Its log file.
    """

    name: str
    version: str
    condition: Condition
    port: int | None
    pid: int | None
    data: Path
    log: Path

    @property
    def running(self) -> bool:
        """Whether it can be used right now."""
        return self.condition is Condition.RUNNING


class EmbeddedServer(abc.ABC):
    """
    One embedded development server.

    Args:
        paths: Where its data and its program are.
    """

    name: ClassVar[str]
    """How commands and events call it."""
    version: ClassVar[str]
    """Version of the server program."""
    needed_bytes: ClassVar[int]
    """Room it takes in its first seconds; without it, it isn't started."""
    start_seconds: ClassVar[float] = 120
    """How long a start may take before it is called failed, on a slow and busy machine."""
    stop_signals: ClassVar[Sequence[tuple[signal.Signals, float]]] = (
        (signal.SIGTERM, 30),
        (signal.SIGKILL, 10),
    )
    """What it is sent to end it, and how long each is waited for."""

    def __init__(self, paths: EmbeddedPaths) -> None:
        self.paths = paths
        self.folder = paths.home / self.name
        self.log = self.folder / "server.log"
        self._state_file = self.folder / "state.json"
        self._record = self.folder / "process"
        self._ready = self.folder / "ready"

    # --- what each server answers for itself ------------------------------------

    @abc.abstractmethod
    def url(self) -> str:
        """Build the URL for clients; chooses port and password the first time, starts nothing."""

    @abc.abstractmethod
    def ensure_installed(self, reporter: Reporter = silent) -> None:
        """
        Make the server's program available.

        Raises:
            EmbeddedNotInstalled: A package is missing.
            EmbeddedFetchFailed: An archive can't be fetched.
        """

    @abc.abstractmethod
    def _launch(self, port: int) -> process.Launch:
        """Prepare data and configuration, and say what to start. Runs under the lock."""

    @abc.abstractmethod
    def _probe(self, port: int) -> bool:
        """Return whether the server takes its real work; finishes its set-up where that is left to do."""

    @property
    def data(self) -> Path:
        """The data folder."""
        saved = SavedState.read(self._state_file)
        return Path(saved.data) if saved and saved.data else self.folder / "data"

    def _owner(self) -> int:
        """Name the account that the server runs as, and that its data belongs to."""
        return os.geteuid()

    # --- what they share -----------------------------------------------------------

    @property
    def port(self) -> int:
        """The server's port, chosen and remembered the first time it is asked for."""
        with faults.translated(self.name, self.folder):
            if saved := SavedState.read(self._state_file):
                return saved.port
            self._make_folder()
            return SavedState(port=ports.choose()).create(self._state_file).port

    def status(self) -> ServerState:
        """Look at the server without changing anything."""
        with faults.translated(self.name, self.folder):
            return self._look()

    def _look(self) -> ServerState:
        saved = SavedState.read(self._state_file)
        identity = self._alive()
        condition = Condition.STOPPED
        if identity is not None:
            answering = self._was_ready(identity) and saved is not None and ports.answers(saved.port)
            condition = Condition.RUNNING if answering else Condition.STARTING
        return ServerState(
            name=self.name,
            version=self.version,
            condition=condition,
            port=saved.port if saved else None,
            pid=identity.pid if identity else None,
            data=self.data,
            log=self.log,
        )

    def start(self, reporter: Reporter = silent, *, may_move: bool = False) -> ServerState:
        """
        Start the server unless it runs, and wait until it answers.

        Safe to call from many processes at once: one starts it, the others wait.

        Args:
            reporter: Hears what is fetched and started.
            may_move: Whether another port may be chosen when a stranger listens on the
                remembered one. Only for a caller that has not given the URL away.

        Returns:
            How the server is now.

        Raises:
            EmbeddedError: It can't be fetched or started; the message says why.
        """
        if (found := self.status()).running:
            return found
        with faults.translated(self.name, self.folder):
            self._make_folder()
            with self._locked() as lock:
                if not (found := self.status()).running:
                    self._start_locked(lock, reporter, may_move=may_move)
        return self.status()

    def stop(self, reporter: Reporter = silent) -> bool:
        """
        Stop the server.

        Returns:
            Whether there was one to stop.
        """
        if not self.folder.is_dir():
            return False
        with faults.translated(self.name, self.folder), self._locked():
            return self._stop_locked(reporter)

    def reset(self, reporter: Reporter = silent) -> None:
        """Stop the server and delete its data; port and password stay, so that URLs stay right."""
        if not self.folder.is_dir():
            return
        with faults.translated(self.name, self.folder), self._locked():
            self._stop_locked(reporter)
            self._delete_data()
            for path in self.folder.iterdir():
                if path.name not in _KEPT_BY_RESET:
                    _delete(path)

    # --- inside ----------------------------------------------------------------------

    def _locked(self) -> contextlib.AbstractContextManager[int]:
        return locks.hold(self.folder / "lock", store=self.name, wait=self.start_seconds + 60)

    def _make_folder(self) -> None:
        # Others may pass through, for a server that runs under another account; they can't list.
        self.paths.home.mkdir(parents=True, exist_ok=True)
        self.folder.mkdir(mode=0o711, exist_ok=True)

    def _alive(self) -> process.ProcessIdentity | None:
        identity = process.read_identity(self._record)
        return identity if identity is not None and identity.alive() else None

    def _was_ready(self, identity: process.ProcessIdentity) -> bool:
        return process.read_identity(self._ready) == identity

    def _start_locked(self, lock: int, reporter: Reporter, *, may_move: bool) -> None:
        self.ensure_installed(reporter)
        reporter(ServerStarting(store=self.name))
        began = time.monotonic()
        identity = self._adopt() or self._start_fresh(lock, may_move=may_move)
        self._await_ready(identity)
        shutil.copyfile(self._record, self._ready)
        reporter(ServerReady(store=self.name, seconds=time.monotonic() - began))

    def _adopt(self) -> process.ProcessIdentity | None:
        """
        Find a server that a killed command left behind half started.

        It goes on starting by itself. One whose port was forgotten, or that stopped answering, is ended.
        """
        identity = self._alive()
        if identity is None:
            return None
        saved = SavedState.read(self._state_file)
        if saved is None or (self._was_ready(identity) and not ports.await_answer(saved.port, wait=10)):
            self._end(identity)
            return None
        return identity

    def _start_fresh(self, lock: int, *, may_move: bool) -> process.ProcessIdentity:
        port = self._secure_port(may_move=may_move)
        faults.require_space(self.name, self.folder, self.needed_bytes)
        faults.require_owner(self.name, self.data, self._owner())
        launch = self._launch(port)
        return process.spawn(launch, lock)

    def _secure_port(self, *, may_move: bool) -> int:
        port = self.port
        # The children of a server that was killed hold its port for a moment.
        if ports.await_free(port, wait=10 if self._record.exists() else 1):
            return port
        if not may_move:
            raise EmbeddedStartFailed(
                f"{self.name}: port {port}, which its clients were told, is taken by another program.",
                hint=f"End that program, or run `manage.py embedded start {self.name}`, "
                "which moves to a free port.",
            )
        return self._move(ports.choose())

    def _move(self, port: int) -> int:
        saved = SavedState.read(self._state_file)
        SavedState(port=port, data=saved.data if saved else None).replace(self._state_file)
        return port

    def _await_ready(self, identity: process.ProcessIdentity) -> None:
        deadline = time.monotonic() + self.start_seconds
        port = self.port
        while not self._probe(port):
            if not identity.alive():
                raise self._failed("ended while it was starting")
            if time.monotonic() > deadline:
                self._end(identity)
                raise self._failed(f"did not answer within {self.start_seconds:.0f} seconds")
            time.sleep(_POLL_SECONDS)

    def _failed(self, fact: str) -> EmbeddedError:
        tail = process.log_tail(self.log)
        if any(words in tail.lower() for words in faults.FULL_DISK_WORDS):
            unusable = faults.full_disk(self.name, self.data)
            return EmbeddedDataUnusable(f"{unusable.message} Its log ends with:\n{tail}", hint=unusable.hint)
        return EmbeddedStartFailed(
            f"{self.name} {self.version} {fact}. Its log ends with:\n{tail or '(nothing)'}",
            hint=f"Read {self.log}. If the data may go, "
            f"`manage.py embedded reset {self.name}` starts afresh.",
        )

    def _stop_locked(self, reporter: Reporter) -> bool:
        identity = self._alive()
        if identity is not None:
            self._end(identity)
            reporter(ServerStopped(store=self.name))
        self._ready.unlink(missing_ok=True)
        self._record.unlink(missing_ok=True)
        return identity is not None

    def _end(self, identity: process.ProcessIdentity) -> None:
        for number, wait in self.stop_signals:
            identity.signal(number)
            if identity.await_end(wait):
                return
        raise EmbeddedError(
            f"{self.name}: process {identity.pid} does not end, not even when killed.",
            hint="Its disk may hang. Look at the machine, then run the command again.",
        )

    def _delete_data(self) -> None:
        _delete(self.data)


def _delete(path: Path) -> None:
    remove: Callable[[Path], None] = shutil.rmtree if path.is_dir() and not path.is_symlink() else _unlink
    remove(path)


def _unlink(path: Path) -> None:
    path.unlink(missing_ok=True)
