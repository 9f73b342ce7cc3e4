"""The manifest of an export: what the files beside it hold, and by what they are known again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from accord.bulk.errors import BulkFileError
from accord.seam.bulk import Column, FileFormat

NAME = "manifest.json"
"""Its name in the folder of an export."""
SCHEMA = "accord.bulk/1"
_AGAIN = "Export again, or name the folder of an export that was finished."


@dataclass(frozen=True, kw_only=True)
class Part:
    """
    One file.

    Attributes:
        file: Its name.
        rows: Rows or documents in it; -1 where nobody has counted them.
        bytes: Its length.
        sha256: Of its bytes, as they lie there.
        snapshot: The moment of the store that it shows.
    """

    file: str
    rows: int
    bytes: int
    sha256: str
    snapshot: str = ""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """
    What was exported.

    Attributes:
        accord: Version of the suite that wrote it.
        made_at: When, as ISO 8601.
        store: Alias of the store.
        kind: Product in its own words.
        name: The table, collection or index.
        query: Which rows or documents; empty for all.
        form: How the files are written.
        compression: How they are compressed.
        columns: Columns in the order of the files.
        key: Those that tell one row from another.
        masked: Personal columns that were left out.
        parts: The files.
    """

    accord: str
    made_at: str
    store: str
    kind: str
    name: str
    query: str
    form: FileFormat
    compression: str
    columns: Sequence[Column]
    key: Sequence[str]
    masked: Sequence[str]
    parts: Sequence[Part]

    @property
    def rows(self) -> int:
        """How many rows or documents all files hold."""
        return sum(part.rows for part in self.parts)

    @property
    def text(self) -> str:
        """The manifest as it lies on the disk."""
        return f"{json.dumps(self.document(), indent=2, ensure_ascii=False)}\n"

    @property
    def digest(self) -> str:
        """SHA-256 of that text: stands for this export."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def document(self) -> Mapping[str, Any]:
        """Return what programs read."""
        told = asdict(self)
        told["format"] = str(told.pop("form"))
        return {"schema": SCHEMA, **told, "rows": self.rows}


def read(folder: Path) -> Manifest:
    """
    Read the manifest of a finished export.

    Raises:
        BulkFileError: There is none, or it can't be understood.
    """
    path = folder / NAME
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return _parsed(found)
    except FileNotFoundError as exc:
        raise BulkFileError(
            f"{path} is not there: no export was finished in this folder.", hint=_AGAIN
        ) from exc
    except OSError as exc:
        raise BulkFileError(
            f"{path} can't be read: {exc.strerror}.", hint="Correct the path or its rights."
        ) from exc
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise BulkFileError(f"{path} is no manifest of this version.", hint=_AGAIN) from exc


def _parsed(found: Mapping[str, Any]) -> Manifest:
    if found["schema"] != SCHEMA:
        raise ValueError(SCHEMA)
    texts = ("accord", "made_at", "store", "kind", "name", "query", "compression")
    return Manifest(
        **{name: str(found[name]) for name in texts},
        form=FileFormat(found["format"]),
        columns=[Column(**column) for column in found["columns"]],
        key=[str(name) for name in found["key"]],
        masked=[str(name) for name in found["masked"]],
        parts=[Part(**part) for part in found["parts"]],
    )
