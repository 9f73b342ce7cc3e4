"""Keys of requests as files of a folder that no backup takes: they outlive a crash of PostgreSQL."""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from accord.durable import sync_folder
from accord.errors import ConfigurationError
from gdpr.models import ErasureRequest, RecipientNotice, RightsRequest

_OWNER_ONLY = 0o600
_DRAFT = ".part"
_OURS = re.compile(r"[0-9a-f]{32}(\.part)?")
_YOUNG = 3600.0
"""Seconds during which a file without a request may belong to one that is being filed."""

_SEALED = (
    (ErasureRequest, "sealed_keys"),
    (RecipientNotice, "sealed_person"),
    (RightsRequest, "sealed_keys"),
)
"""What may have a key of its own, and the column that is empty once it is over."""


class KeyFolder:
    """
    Encrypted keys in files that are named by the references of their requests.

    Args:
        folder: It has to be there: one that isn't mounted must not be taken for an empty one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, wrapped: Mapping[str, bytes]) -> None:
        """
        Write files, each whole or not at all, and wait until the disk has them.

        Raises:
            ConfigurationError: The folder isn't there, or can't be written to.
        """
        with self._reported():
            for reference, key in wrapped.items():
                self._write(reference, key)
            sync_folder(self.folder)

    def read(self, references: Iterable[str]) -> Mapping[str, bytes]:
        """
        Return those that are there.

        Raises:
            ConfigurationError: The folder isn't there, or a file can't be read.
        """
        found = {}
        with self._reported():
            there = {path.name for path in self.folder.iterdir()}
            for reference in there.intersection(references):
                # Its request may end, and the file go, at any moment.
                with suppress(FileNotFoundError):
                    found[reference] = (self.folder / reference).read_bytes()
        return found

    def count_ended(self) -> int:
        """Count the files that no request needs any more."""
        return len(self._ended())

    def destroy_ended(self) -> int:
        """Overwrite the files that no request needs any more, and remove them."""
        ended = self._ended()
        with self._reported():
            for path in ended:
                with suppress(FileNotFoundError):
                    _overwrite(path)
                    path.unlink()
            sync_folder(self.folder)
        return len(ended)

    def _write(self, reference: str, key: bytes) -> None:
        draft = self.folder / f"{reference}{_DRAFT}"
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.folder / reference)

    def _ended(self) -> list[Path]:
        with self._reported():
            names = {path.name: path for path in self.folder.iterdir() if _OURS.fullmatch(path.name)}
        references = [name.removesuffix(_DRAFT) for name in names]
        known: dict[str, object] = {}
        for model, sealed in _SEALED:
            found = model.objects.filter(reference__in=references)
            known |= found.values_list("reference", sealed)
        over = {reference for reference, content in known.items() if content is None}
        return [path for name, path in sorted(names.items()) if name in over or _is_left(path, known)]

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise ConfigurationError(
                f"The folder of keys, ACCORD['REQUEST_KEYS'], can't be used: {exc.strerror}.",
                hint="It has to be there, on every host that works on erasures, and belong to their user.",
            ) from exc


def _is_left(path: Path, known: Mapping[str, object]) -> bool:
    """Return whether a kill left a file behind: of a request that was never filed, or not whole."""
    try:
        old = time.time() - path.stat().st_mtime > _YOUNG
    except FileNotFoundError:
        return False
    return old and (path.suffix == _DRAFT or path.name not in known)


def _overwrite(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.write(secrets.token_bytes(size))
        file.flush()
        os.fsync(file.fileno())
