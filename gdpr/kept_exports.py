"""
Exports that are kept for a few days: made, downloaded a few times, and deleted.

A file is encrypted before it is written, for a reader whose key or password is not kept. Each of the three
acts is in the audit trail with the account and the export's reference; nothing there says whose data it is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from accord import clock, conf
from accord.acting import Account, actor
from accord.audit import trail
from accord.audit.events import Counter, EventKind, ObjectKind
from gdpr.datamap.map import load_data_map
from gdpr.datamap.static import require_sound
from gdpr.datamap.subjects import SubjectKeys
from gdpr.envelopes.age import SUFFIX as AGE
from gdpr.envelopes.age import Envelope
from gdpr.erasure import actors, encryption
from gdpr.errors import ExportOver, ExportRefused
from gdpr.export import ExportFormat, gather, sealed, size
from gdpr.export_files import PART, new_file, require_folder
from gdpr.models import ErasureRequest, KeptExport

_ABANDONED = timedelta(hours=1)
"""Age of a file from which on no process is about to write its row."""


def make(
    keys: SubjectKeys, envelope: Envelope, form: ExportFormat, *, by: Account, portable: bool = False
) -> KeptExport:
    """
    Make an export and keep it until it expires.

    Args:
        keys: Whose data.
        envelope: Who can open it.
        form: How it is written.
        by: Who makes it.
        portable: Only what the person may take along (Art. 20).

    Raises:
        NotAllowed: The account may not export what is kept of people.
        ConfigurationError, ExportRefused: It can't be encrypted, or not be written.
        StoreUnavailable: A store can't be reached; an export with holes is none.
    """
    envelope.require()
    data_map = load_data_map()
    require_sound(data_map)
    content = gather(data_map, keys, by=by, portable=portable)
    file = sealed(content, form, envelope)
    require_folder(folder())
    kept = _on_record(keys, form, content, by)
    try:
        new_file(folder(), kept.reference, _suffix(kept), lambda opened: opened.write(file))
    except ExportRefused:
        _end(kept, by)
        raise
    return kept


def _on_record(keys: SubjectKeys, form: ExportFormat, content: Mapping[str, Any], by: Account) -> KeptExport:
    """Write the row before the file: a kill in between leaves a row too many, never a file nobody deletes."""
    now = clock.now()
    entries, rows = size(content)
    with transaction.atomic(using=_alias()):
        kept = KeptExport.objects.create(
            subject_kind=keys.kind,
            subject_tag=encryption.tag_of(keys),
            form=form.value,
            portable=content["portable"],
            made_by_id=by.pk,
            made_at=now,
            expires_at=now + timedelta(days=conf.load().export_days),
        )
        counters = {Counter.ENTRIES.value: entries, Counter.FOUND.value: rows}
        _record(EventKind.EXPORT_MADE, kept, by, counters)
    return kept


def download(export: KeptExport, *, by: Account) -> bytes:
    """
    Return the encrypted file of an export, and count that it left.

    Args:
        export: Which.
        by: Who takes it.

    Raises:
        NotAllowed: The account may not export what is kept of people.
        ExportOver: It expired, was deleted, or was downloaded as often as it may be.
    """
    actors.require(by, actors.EXPORT, kind=ObjectKind.EXPORT.value)
    with transaction.atomic(using=_alias()):
        held = KeptExport.objects.select_for_update().get(pk=export.pk)
        if is_over(held):
            raise _over()
        try:
            content = path_of(held).read_bytes()
        except OSError as exc:
            raise _over() from exc
        held.downloads += 1
        held.save(using=_alias(), update_fields=["downloads"])
        _record(EventKind.EXPORT_DOWNLOADED, held, by, {Counter.ATTEMPT.value: held.downloads})
    return content


def is_over(export: KeptExport) -> bool:
    """Return whether an export can't be downloaded any more."""
    return (
        export.deleted_at is not None
        or export.expires_at <= clock.now()
        or export.downloads >= conf.load().export_downloads
    )


def delete(export: KeptExport, *, by: Account) -> None:
    """
    Delete the file of an export before it expires.

    Raises:
        NotAllowed: The account may not export what is kept of people.
    """
    actors.require(by, actors.EXPORT, kind=ObjectKind.EXPORT.value)
    _end(export, by)


def delete_due() -> int:
    """
    Delete what expired, was downloaded often enough or is of the erased, and files that no row tells of.

    Returns:
        How many exports.
    """
    erased = ErasureRequest.objects.filter(
        subject_tag=OuterRef("subject_tag"), completed_at__gte=OuterRef("made_at")
    )
    spent = Q(expires_at__lte=clock.now()) | Q(downloads__gte=conf.load().export_downloads) | Exists(erased)
    due = list(KeptExport.objects.filter(spent, deleted_at__isnull=True))
    for export in due:
        _end(export, None)
    for file in _strays():
        file.unlink(missing_ok=True)
    return len(due)


def _end(export: KeptExport, by: Account | None) -> None:
    """Take the file away, then say so: what is killed in between is done again."""
    path_of(export).unlink(missing_ok=True)
    with transaction.atomic(using=_alias()):
        held = KeptExport.objects.select_for_update().get(pk=export.pk)
        if held.deleted_at is None:
            held.deleted_at = clock.now()
            held.save(using=_alias(), update_fields=["deleted_at"])
            _record(EventKind.EXPORT_DELETED, held, by, {})


def _strays() -> Iterator[Path]:
    """Yield files of which no row tells: parts that a kill left, and exports from after a restored backup."""
    try:
        found = [file for file in folder().iterdir() if file.suffix in (PART, f".{AGE}")]
    except FileNotFoundError:
        return
    rows = KeptExport.objects.filter(deleted_at__isnull=True)
    known = {path_of(export).name for export in rows}
    for file in found:
        if file.name not in known and time.time() - file.lstat().st_mtime > _ABANDONED.total_seconds():
            yield file


def folder() -> Path:
    """Return where exports are kept."""
    return conf.base_dir() / conf.load().exports


def path_of(export: KeptExport) -> Path:
    """Return the file of an export, whether or not it is there."""
    return folder() / f"{export.reference}.{_suffix(export)}"


def _suffix(export: KeptExport) -> str:
    return f"{ExportFormat(export.form).suffix}.{AGE}"


def _record(event: EventKind, kept: KeptExport, by: Account | None, counters: dict[str, int]) -> None:
    trail.record(
        event,
        actor=actor(by),
        object_kind=ObjectKind.EXPORT,
        object_ref=kept.reference,
        counters=counters,
        using=_alias(),
    )


def _over() -> ExportOver:
    return ExportOver(
        "The export expired, was deleted, or was downloaded as often as it may be.", hint="Make a new one."
    )


def _alias() -> str:
    return conf.load().coordinator
