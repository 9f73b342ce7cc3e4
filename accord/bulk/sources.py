"""What an import reads: the folder of an export, or one file that somebody else made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from accord import __version__
from accord.bulk import compression, formats, manifest
from accord.bulk.errors import BulkFileError
from accord.bulk.manifest import Manifest, Part
from accord.bulk.parts import digest_of
from accord.bulk.records import header
from accord.seam.bulk import Column, FileFormat

_LONGEST = 64 << 20
"""Bytes of a first line that are looked at: no more of a file without line ends comes into memory."""
_ANOTHER = "Copy the export again, whole; or export again."


def read(path: Path) -> tuple[Path, Manifest]:
    """
    Read what a path holds, and make sure that each file is what it was. Nothing is written.

    Args:
        path: The folder of an export, or a file.

    Returns:
        The folder, and the manifest; of a lone file, one that is made from it.

    Raises:
        BulkFileError: A file is missing, cut short, or another one.
    """
    if path.is_file():
        return path.parent, _of_file(path)
    found = manifest.read(path)
    for part in found.parts:
        _verify(path, part)
        if formats.of_store(found.form) is FileFormat.CSV:
            _refuse_other_header(path / part.file, found)
    return path, found


def _verify(folder: Path, part: Part) -> None:
    path = folder / part.file
    # A pipe or a device has no end, and what isn't beside the manifest is none of its business.
    if Path(part.file).name != part.file or (path.exists() and not path.is_file()):
        raise BulkFileError(f"The manifest names {part.file}, which is no file beside it.", hint=_ANOTHER)
    try:
        size, digest = digest_of(path)
    except FileNotFoundError as exc:
        raise BulkFileError(f"{path} is not there, and the manifest has it.", hint=_ANOTHER) from exc
    except OSError as exc:
        raise BulkFileError(f"{path} can't be read: {exc.strerror}.", hint="Correct its rights.") from exc
    if size < part.bytes:
        raise BulkFileError(
            f"{path} is cut short: {size:,} bytes of {part.bytes:,}. Nothing was written.", hint=_ANOTHER
        )
    if digest != part.sha256:
        raise BulkFileError(
            f"{path} is not the file that the manifest describes: its SHA-256 is another. "
            "Nothing was written.",
            hint=_ANOTHER,
        )


def _refuse_other_header(path: Path, found: Manifest) -> None:
    names = _header_of(path, found.form)
    if list(names) != [column.name for column in found.columns]:
        raise BulkFileError(
            f"{path} begins with another header than its manifest has. Nothing was written.", hint=_ANOTHER
        )


def _header_of(path: Path, form: FileFormat) -> Sequence[str]:
    try:
        with formats.opened(path, form, compression.of(path)) as file:
            return header(_first_line(path, file))
    except (*compression.BROKEN, ValueError) as exc:
        raise BulkFileError(f"{path} can't be read: {exc}.", hint=_ANOTHER) from exc


def _first_line(path: Path, file: BinaryIO) -> bytes:
    line = file.readline(_LONGEST)
    if len(line) == _LONGEST:
        raise BulkFileError(
            f"The first line of {path} has no end.",
            hint="Write a row or a document a line, and the header first.",
        )
    return line


def _members_of(path: Path) -> Sequence[str]:
    """Return the columns of a file without a header: the members of its first line."""
    with compression.opened(path, compression.of(path)) as file:
        line = _first_line(path, file)
    try:
        found = json.loads(line)
        return [str(name) for name in dict(found)]
    except (ValueError, TypeError) as exc:
        raise BulkFileError(
            f"The first line of {path} is no JSON object.", hint="Write one object a line, in UTF-8."
        ) from exc


def _of_file(path: Path) -> Manifest:
    """Describe a file that has no manifest, by its name and its header."""
    how = compression.of(path)
    ending = Path(path.name.removesuffix(how.suffix)).suffix.lstrip(".")
    if ending not in list(FileFormat):
        raise BulkFileError(
            f"How {path} is written can't be told from its name.",
            hint=f"Let it end with {', '.join(f'.{form}' for form in FileFormat)}, or with .gz behind that.",
        )
    size, digest = digest_of(path)
    made = Manifest(
        accord=__version__,
        made_at="",
        store="",
        kind="",
        name="",
        query="",
        form=FileFormat(ending),
        compression=str(how),
        columns=(),
        key=(),
        masked=(),
        parts=[Part(file=path.name, rows=-1, bytes=size, sha256=digest)],
    )
    is_table = formats.of_store(made.form) is FileFormat.CSV
    names = _header_of(path, made.form) if is_table else _members_of(path)
    return replace(made, columns=[Column(name=name, type="") for name in names])
