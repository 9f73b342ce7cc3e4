"""
Access export (Art. 15): everything that is kept of a person, with why, for whom and how long.

One JSON document and one readable page from the same content. Only the person's own rows and
array elements are in it. A portable export (Art. 20) holds what the person provided, on the basis of
consent or a contract, as far as the data map says so. It is on a disk unencrypted only where that is
asked for.
"""

from __future__ import annotations

import enum
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import IO, Any

from django.db import transaction
from django.template.loader import render_to_string

from accord import conf, db
from accord.acting import Account, actor
from accord.audit import trail
from accord.audit.events import Counter, EventKind, ObjectKind
from gdpr.datamap.actions import Manual, Retain
from gdpr.datamap.bases import LawfulBasis
from gdpr.datamap.entries import Entry
from gdpr.datamap.map import DataMap
from gdpr.datamap.subjects import SubjectKeys
from gdpr.envelopes.age import SUFFIX as AGE
from gdpr.envelopes.age import Envelope
from gdpr.erasure import actors, own_accounts, planning
from gdpr.export_csv import write_archive
from gdpr.export_files import new_file
from gdpr.stores.base import opened_stores

SCHEMA = "accord.export/1"
_TEMPLATE = "gdpr/export.html"


class ExportFormat(enum.StrEnum):
    """How an export is written."""

    JSON = "json"
    """For programs: everything, with types as texts."""
    HTML = "html"
    """For the person: a page that any browser shows and prints."""
    CSV = "csv"
    """For spreadsheets and other services: a ZIP archive with one table for each place."""

    @property
    def suffix(self) -> str:
        """What names of such files end with."""
        return "zip" if self is ExportFormat.CSV else self.value


@dataclass(frozen=True, kw_only=True)
class Written:
    """
    An export that was written.

    Attributes:
        path: The file.
        entries: Entries of the data map that it has data of.
        rows: Rows, documents and elements in it.
    """

    path: Path
    entries: int
    rows: int


def gather(
    data_map: DataMap,
    keys: SubjectKeys,
    *,
    by: Account,
    portable: bool = False,
    own: bool = False,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Mapping[str, Any]:
    """
    Read everything that is kept of a person.

    Args:
        data_map: Where to look.
        keys: Whose data.
        by: Who wants it.
        portable: Only what the person may take along to another service (Art. 20).
        own: Whether it is the person themselves, which is then made sure of, in the place of the permission.
        clock: Tells the time.

    Returns:
        A document that JSON can hold.

    Raises:
        NotAllowed: The account may not export what is kept of people.
        StoreUnavailable: A store can't be reached; an export with holes is none.
    """
    if not (own and own_accounts.is_theirs(by, keys)):
        actors.require(by, actors.EXPORT, kind=ObjectKind.EXPORT.value)
    with opened_stores() as stores:
        [keys] = planning.collected({0: keys}, data_map.to_collect(), stores).values()
        chosen = [entry for entry in _exported(data_map) if entry.is_portable or not portable]
        parts = [_part(entry, stores[entry.store].export(entry, keys)) for entry in chosen]
    return {
        "schema": SCHEMA,
        "portable": portable,
        "made_at": clock().isoformat(timespec="seconds"),
        "data_map": data_map.digest,
        "subject": {"kind": keys.kind, "keys": dict(keys.alternates)},
        "parts": parts,
        "by_hand": [_by_hand(entry) for entry in data_map.entries if _is_by_hand(entry)],
        "without_basis": _without_basis(data_map) if portable else [],
        "rights": RIGHTS,
    }


RIGHTS = (
    "You may ask for correction of what is wrong, for erasure, for restriction of processing, and for your "
    "data in a machine-readable form; you may object, withdraw a consent at any time, and complain to a "
    "supervisory authority."
)


def write(content: Mapping[str, Any], folder: Path, form: ExportFormat, envelope: Envelope | None) -> Written:
    """
    Write an export into a new file that only its owner can read.

    Args:
        content: What :func:`gather` gave.
        folder: Where to; it is made when it isn't there.
        form: How.
        envelope: Who can open it; None for whoever can read the file.

    Raises:
        ConfigurationError, ExportRefused: It can't be encrypted, or the folder can't be written to.
    """
    stamp = str(content["made_at"]).replace(":", "").replace("+0000", "Z")
    stem = f"{'portable' if content['portable'] else 'export'}-{stamp}"
    path = (
        new_file(folder, stem, form.suffix, lambda file: fill(content, form, file))
        if envelope is None
        else new_file(folder, stem, f"{form.suffix}.{AGE}", partial(_fill_sealed, content, form, envelope))
    )
    entries, rows = size(content)
    return Written(path=path, entries=entries, rows=rows)


def _fill_sealed(content: Mapping[str, Any], form: ExportFormat, envelope: Envelope, file: IO[bytes]) -> None:
    file.write(sealed(content, form, envelope))


def sealed(content: Mapping[str, Any], form: ExportFormat, envelope: Envelope) -> bytes:
    """
    Write an export in memory, and encrypt it.

    Args:
        content: What :func:`gather` gave.
        form: How.
        envelope: Who can open it.

    Raises:
        ConfigurationError, ExportRefused: It can't be encrypted.
    """
    open_ = io.BytesIO()
    fill(content, form, open_)
    return envelope.sealed(open_.getvalue())


def fill(content: Mapping[str, Any], form: ExportFormat, file: IO[bytes]) -> None:
    """
    Write an export into a file that is open.

    Args:
        content: What :func:`gather` gave.
        form: How.
        file: Where to.
    """
    if form is ExportFormat.CSV:
        write_archive(content, file)
        return
    text = json.dumps(content, indent=2, ensure_ascii=False) if form is ExportFormat.JSON else page(content)
    # What a search engine keeps need not be Unicode; so escaped it is what JSON means.
    file.write(text.encode("utf-8", "backslashreplace"))


def put_on_record(content: Mapping[str, Any], *, by: Account) -> None:
    """
    Write into the audit trail that an export is made, before there is a file of it.

    A kill in between leaves an event too many, never an export that nobody knows of. Nothing in the
    event says whose data it is.

    Args:
        content: What :func:`gather` gave.
        by: Who gets it.

    Raises:
        StoreError: The audit trail can't be written; then there is no export.
    """
    alias = conf.load().coordinator
    entries, rows = size(content)
    with db.reading("The audit trail", alias), transaction.atomic(using=alias):
        trail.record(
            EventKind.EXPORT_MADE,
            actor=actor(by),
            object_kind=ObjectKind.EXPORT,
            counters={Counter.ENTRIES.value: entries, Counter.FOUND.value: rows},
            using=alias,
        )


def size(content: Mapping[str, Any]) -> tuple[int, int]:
    """Return how many places an export has data of, and how many rows."""
    parts = content["parts"]
    return sum(bool(part["rows"]) for part in parts), sum(len(part["rows"]) for part in parts)


def page(content: Mapping[str, Any]) -> str:
    """Write an export as a page that stands alone: no script, nothing fetched from anywhere."""
    labels = dict(LawfulBasis.choices)
    parts = [
        {
            **part,
            "tables": [_cells(row) for row in part["rows"]],
            "basis_label": labels.get(part["basis"], ""),
        }
        for part in content["parts"]
    ]
    return render_to_string(_TEMPLATE, {**content, "parts": parts})


def plain(value: Any) -> Any:
    """Turn what a store gives into what JSON can hold."""
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(item) for item in value]
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value) if not isinstance(value, timedelta) else value.total_seconds()


def _exported(data_map: DataMap) -> Iterator[Entry]:
    return (entry for entry in data_map.entries if entry.export and entry.is_looked_at)


def _without_basis(data_map: DataMap) -> list[str]:
    """Return the entries of which nobody can tell whether they belong in: the data map names no basis."""
    return [entry.id for entry in _exported(data_map) if entry.basis is None]


def _is_by_hand(entry: Entry) -> bool:
    return entry.export and isinstance(entry.action, Manual) and not entry.is_looked_at


def _part(entry: Entry, rows: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    kept = entry.action if isinstance(entry.action, Retain) else None
    return {
        "id": entry.id,
        "store": entry.store,
        "what": entry.target,
        "category": entry.category,
        "purpose": entry.purpose,
        "recipients": list(entry.recipients),
        "retention": str(entry.retention),
        "source": entry.source,
        "basis": None if entry.basis is None else str(entry.basis),
        "provided": entry.provided and not entry.derived_from,
        "kept_after_erasure": None
        if kept is None
        else {"article": kept.article, "basis": kept.basis, "until": str(kept.until)},
        "rows": [plain(_chosen(row)) for row in rows],
    }


def _chosen(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leave out of a row what could sign an account in: it is not about the person, it is a key."""
    return {name: value for name, value in row.items() if name not in ("password", "session_data")}


def _by_hand(entry: Entry) -> Mapping[str, Any]:
    return {"id": entry.id, "what": entry.target, "category": entry.category, "purpose": entry.purpose}


def _cells(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name.replace("_", " "), _text(value)) for name, value in row.items()]


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
        return ", ".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)
