"""`accord_uninstall`: its flags, its questions, and its answer."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from accord import conf
from accord.cli.answer import Answer
from accord.cli.printable import say_aside
from accord.cli.questions import require_yes
from accord.seam.registry import opened
from accord.words import counted
from migrator.engine.by_hand import left_by_hand
from migrator.engine.uninstall import Kept, Uninstall

_WAY_OUT = "Take it out: accord_uninstall --remove"
_WAY_OUT_WITH_EVIDENCE = "Take it out: accord_uninstall --remove --with-evidence"


def add_uninstall_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--plan", action="store_true", help="Show what goes, and change nothing; the default.")
    what.add_argument("--remove", action="store_true", help="Show what goes, ask, and take it out.")
    parser.add_argument(
        "--with-evidence",
        action="store_true",
        help="Take out the audit trail, receipts, consents, tombstones and approvals, too: nobody can "
        "bring them back.",
    )
    parser.add_argument(
        "--noinput", "--no-input", action="store_false", dest="interactive", help="Don't ask: it is meant."
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="How to answer.")


def carry_out(options: dict[str, Any]) -> Answer:
    """
    Show what the suite keeps in the stores, and take it out where that is asked for.

    Raises:
        LeaseHeld: A run holds the lease.
        StepsUnderWay: A step was begun and did not end.
        NotConfirmed: Nobody said yes.
        StoreError: A store can't be reached, or refuses.
    """
    settings, evidence = conf.load(), options["with_evidence"]
    with opened() as stores:
        uninstall = Uninstall(stores, settings)
        found = uninstall.look()
        going = [kept for kept in found if evidence or not kept.trace.evidence]
        if options["remove"] and going:
            uninstall.refuse()
            if options["interactive"]:
                _ask(going)
            uninstall.take_out(evidence=evidence)
            left = uninstall.look()
        else:
            left = found
        by_hand = [*_silent(uninstall), *left_by_hand(settings)]
    removed = bool(options["remove"])
    return Answer(
        document=_document(found, left, by_hand, removed=removed),
        lines=_lines(going, left, by_hand, removed=removed, evidence=evidence),
    )


def _ask(going: Sequence[Kept]) -> None:
    say_aside("\n".join([*_table("This goes:", going), ""]))
    evidence = sum(kept.trace.number for kept in going if kept.trace.evidence)
    if evidence:
        require_yes(f"Evidence goes, too ({evidence:,} rows), and nobody can bring it back. Is that meant?")
    require_yes("Take it out?")


def _silent(uninstall: Uninstall) -> Iterator[str]:
    for alias in uninstall.silent_stores():
        yield f"Look yourself what Accord keeps in “{alias}”: its adapter can't tell."


def _lines(
    going: Sequence[Kept], left: Sequence[Kept], by_hand: Iterable[str], *, removed: bool, evidence: bool
) -> Iterator[str]:
    if going:
        yield from _table(
            "Taken out:" if removed else "What Accord keeps in the stores of this project:", going
        )
    elif not left:
        yield "Accord keeps nothing in the stores of this project."
    stays = [kept for kept in left if kept not in going or removed]
    if stays:
        yield from _table(
            "Evidence, and what holds it together, stays unless --with-evidence is given:", stays
        )
    yield "What your migrations and revisions made stays, with the rows of your apps in django_migrations."
    yield "Left to do by hand:"
    yield from (f"  - {one}" for one in by_hand)
    if going and not removed:
        yield f"Nothing was changed. {_WAY_OUT_WITH_EVIDENCE if evidence else _WAY_OUT}"


def _table(title: str, kept: Sequence[Kept]) -> Iterator[str]:
    yield title
    stores = max(len(one.store) for one in kept)
    widest = max(len(one.trace.what) for one in kept)
    for one in kept:
        number = counted(one.trace.number, one.trace.unit)
        yield f"  {one.store:{stores}}  {one.trace.what:{widest}}  {number}"


def _document(
    found: Sequence[Kept], left: Sequence[Kept], by_hand: Sequence[str], *, removed: bool
) -> dict[str, Any]:
    return {
        "schema": "accord.uninstall/1",
        "removed": removed,
        "found": [_trace(kept) for kept in found],
        "left": [_trace(kept) for kept in left],
        "by_hand": list(by_hand),
    }


def _trace(kept: Kept) -> dict[str, Any]:
    return {"store": kept.store, **asdict(kept.trace)}
