"""What `bulk_copy` takes, does and answers."""

from __future__ import annotations

import hashlib
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from typing import Any

from accord import conf
from accord.audit.events import Counter
from accord.batch_models import BatchJob
from accord.bulk import recording
from accord.bulk.comparing import Compared, compare
from accord.bulk.copies import Copy, declarations, declared_as
from accord.bulk.copying import begin
from accord.bulk.fitting import Fitted, fit
from accord.bulk.privacy import require_permission
from accord.cli.answer import Answer
from accord.cli.arguments import add_acting, add_format, add_noinput
from accord.cli.batches import add_workers, place_of, work_on
from accord.cli.bulk import account_of
from accord.events import Reporter
from accord.identity import identity_if_marked, refuse_foreign
from accord.seam.registry import opened

SCHEMA = "accord.bulk_copy/1"
_EVENTS = (recording.EXPORT, recording.IMPORT)
_MAY = "Act as an account that has it, with --as."


def add_copy_arguments(parser: ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument(
        "name", nargs="?", default="", metavar="NAME", help="What to copy; those that are declared if none."
    )
    add_workers(parser)
    parser.add_argument(
        "--delete", action="store_true", help="Delete documents of the target that are of no row any more."
    )
    parser.add_argument(
        "--anew", action="store_true", help="Begin a copy again that was ended; it goes on unless given."
    )
    add_acting(parser)
    add_noinput(parser)
    add_format(parser)


def carry_out(options: Mapping[str, Any], report: Reporter, stop: Callable[[], bool]) -> Answer:
    """
    Copy, then hold both sides against each other.

    Args:
        options: What the command line gave.
        report: Hears how far it is.
        stop: Whether to end after the batch.

    Raises:
        AccordError: It doesn't fit the stores, isn't allowed, or stopped at a row.
    """
    if not options["name"]:
        return _listed()
    place = place_of(options["workers"], options["count"])
    copy = declared_as(options["name"])
    by = account_of(options, must=copy.personal)
    if copy.personal:
        require_permission(by, _MAY)
    _refuse_unfit(copy)
    digest = hashlib.sha256(repr(copy).encode()).hexdigest()
    for events in _EVENTS:
        recording.started(events, digest, by)
    job = begin(copy, place=place, workers=options["count"], anew=options["anew"])
    work_on(job, report, stop)
    fitted, found = _compared(copy, delete=options["delete"], stop=stop)
    numbers = {Counter.TOTAL: found.rows, Counter.SKIPPED: found.missing, Counter.DELETED: found.deleted}
    for events in _EVENTS:
        recording.finished(events, digest, by, numbers)
    return _told(fitted, found, job)


def _listed() -> Answer:
    found = declarations().values()
    lines = [f"{copy.name}  {_from(copy)} to {_into(copy)}" for copy in found]
    return Answer(
        document={"schema": "accord.bulk_copies/1", "copies": [_document(copy) for copy in found]},
        lines=lines or ["No app declares a copy."],
    )


def _refuse_unfit(copy: Copy) -> None:
    with opened() as stores:
        target = fit(copy, stores).target
        refuse_foreign({target.alias: identity_if_marked(target)}, conf.load().environment)


def _compared(copy: Copy, *, delete: bool, stop: Callable[[], bool]) -> tuple[Fitted, Compared]:
    with opened() as stores:
        fitted = fit(copy, stores)
        return fitted, compare(fitted, delete=delete, stop=stop)


def _told(fitted: Fitted, found: Compared, job: BatchJob) -> Answer:
    copy, begun = fitted.copy, job.made_at.isoformat(timespec="seconds")
    lines = [
        f"{found.rows:,} rows of {_from(copy)}; {found.documents:,} documents in {_into(copy)}.",
        f"Each row is there as it was at a moment since {begun}, when the copy began.",
    ]
    if fitted.masked:
        lines.append(f"Left out, because the data map calls it personal: {', '.join(fitted.masked)}.")
    if found.missing:
        lines.append(
            f"{found.missing:,} rows are not there: they came meanwhile (the next copy brings them), are of "
            "people who were erased, or share their key with another one."
        )
    if found.deleted:
        lines.append(f"{found.deleted:,} documents of no row were deleted.")
    if found.extra:
        lines.append(f"{found.extra:,} documents are of no row; --delete deletes them.")
    numbers = {
        "rows": found.rows,
        "documents": found.documents - found.deleted,
        "missing": found.missing,
        "extra": found.extra,
        "deleted": found.deleted,
    }
    document = {
        "schema": SCHEMA,
        **_document(copy),
        **numbers,
        "masked": list(fitted.masked),
        "begun_at": begun,
    }
    return Answer(document=document, lines=lines)


def _document(copy: Copy) -> dict[str, Any]:
    return {
        "name": copy.name,
        "source": {"store": copy.source.store, "name": copy.source.name},
        "target": {"store": copy.target.store, "name": copy.target.name},
        "personal": copy.personal,
    }


def _from(copy: Copy) -> str:
    return f"{copy.source.name} of “{copy.source.store}”"


def _into(copy: Copy) -> str:
    return f"{copy.target.name} of “{copy.target.store}”"
