"""
An export as tables: a ZIP archive with one CSV file for each entry that has data of the person.

Cells that a spreadsheet would take for a formula begin with an apostrophe (CWE-1236). Whoever needs each
character as it is kept takes the JSON.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import IO, Any

ABOUT = "about.json"
_FORMULA = re.compile("[\t\r\n]|\\s*[=+@\uff1d\uff0b\uff0d\uff20-]")
"""How a text begins that a spreadsheet may run; some take the wide forms for the narrow ones."""
_EARLIEST = (1980, 1, 1, 0, 0, 0)
_REGULAR_OWNER_ONLY = 0o100600 << 16
_UNFIT = re.compile(r"[^\w.-]+")


def write_archive(content: Mapping[str, Any], file: IO[bytes]) -> None:
    """
    Write an export as a ZIP archive, row by row; the file need not be one that can be sought in.

    Args:
        content: What :func:`gdpr.export.gather` gave.
        file: Where to.
    """
    made_at = datetime.fromisoformat(str(content["made_at"]))
    filled = [part for part in content["parts"] if part["rows"]]
    names = [_name(number, part["id"]) for number, part in enumerate(filled, 1)]
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in zip(names, filled, strict=True):
            with _member(archive, name, made_at) as member:
                _write_rows(part["rows"], member)
        with _member(archive, ABOUT, made_at) as member:
            member.write(json.dumps(_about(content, names), indent=2, ensure_ascii=False))


def _member(archive: zipfile.ZipFile, name: str, made_at: datetime) -> IO[str]:
    info = zipfile.ZipInfo(name, max(made_at.timetuple()[:6], _EARLIEST))
    info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, _REGULAR_OWNER_ONLY
    member = archive.open(info, "w", force_zip64=True)
    return io.TextIOWrapper(member, encoding="utf-8", errors="backslashreplace", newline="")


def _name(number: int, entry: str) -> str:
    """Name a file so that no two are the same and none leaves the folder that it is unpacked into."""
    return f"{number:02d}-{_UNFIT.sub('_', entry).lstrip('.')}.csv"


def _about(content: Mapping[str, Any], names: Sequence[str]) -> Mapping[str, Any]:
    """Return all that is said about the data, and which file holds which."""
    left = iter(names)
    parts = [
        {
            **{name: value for name, value in part.items() if name != "rows"},
            "file": next(left) if part["rows"] else None,
        }
        for part in content["parts"]
    ]
    return {**content, "parts": parts}


def _write_rows(rows: Sequence[Mapping[str, Any]], member: IO[str]) -> None:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.writer(member)
    writer.writerow(map(harmless, columns))
    writer.writerows(_cells(rows, columns))


def _cells(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[list[Any]]:
    return ([_cell(row.get(column)) for column in columns] for row in rows)


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, int | float):
        return value if not isinstance(value, bool) else str(value).lower()
    return harmless(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text
