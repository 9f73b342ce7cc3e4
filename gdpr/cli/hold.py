"""What `gdpr_hold` does, one function a verb, and what it answers."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accord.cli.answer import Answer
from accord.display import day
from gdpr.cli import measures
from gdpr.cli.measures import MeasureOptions
from gdpr.datamap.map import load_data_map
from gdpr.erasure import encryption, holds
from gdpr.models import LegalHold
from gdpr.states import HoldReason


@dataclass(frozen=True, kw_only=True)
class HoldOptions(MeasureOptions):
    """
    What a call asks for.

    Attributes:
        entry: The entry of the data map that is held; empty for everything.
    """

    entry: str

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> HoldOptions:
        """
        Read what the command line gave.

        Raises:
            UsageError: What the verb needs is missing.
        """
        asked = cls(**measures.common(options, "reason", "entry"))
        asked.require(
            "gdpr_hold",
            ({"place"}, asked.what, "a person"),
            ({"release"}, asked.what, "a hold"),
            ({"place"}, asked.reason, f"--reason, one of: {', '.join(HoldReason.values)}"),
        )
        return asked


def add_hold_arguments(parser: ArgumentParser) -> None:
    """Add the flags."""
    what = "place: a key of the person, - reads it from standard input; release: a hold."
    measures.add_whose(parser, VERBS, what)
    measures.add_reason(parser, HoldReason.values, "Why it is placed.")
    parser.add_argument(
        "--entry", default="", help="Hold one entry of the data map; everything unless given."
    )
    measures.add_rest(parser)


def carry_out(asked: HoldOptions) -> Answer:
    """
    Do what is asked for, and return the holds that it is about.

    Raises:
        AccordError: It can't be done; nothing was changed.
    """
    found = VERBS[asked.verb](asked)
    heading = ("hold", "entry", "reason", "placed", "review", "released")
    return measures.answer("hold", heading, [*map(_row, found)], [*map(_document, found)])


def _place(asked: HoldOptions) -> Sequence[LegalHold]:
    keys = asked.person()
    if asked.entry:
        load_data_map().of(keys.kind).entry(asked.entry)
    tag, reason = encryption.tag_of(keys), HoldReason(asked.reason)
    return [holds.place_hold(keys.kind, tag, reason, by=asked.account(), entry=asked.entry)]


def _list(_asked: HoldOptions) -> Sequence[LegalHold]:
    return list(LegalHold.objects.filter(released_at__isnull=True))


def _release(asked: HoldOptions) -> Sequence[LegalHold]:
    found = measures.only(LegalHold, asked.what, "hold", "See gdpr_hold list.")
    return [holds.release_hold(found, by=asked.account())]


VERBS: Mapping[str, Callable[[HoldOptions], Sequence[LegalHold]]] = {
    "place": _place,
    "list": _list,
    "release": _release,
}


def _row(hold: LegalHold) -> tuple[str, ...]:
    reason = f"{hold.get_reason_display()} ({hold.reason})"
    moments = (hold.placed_at, hold.review_at, hold.released_at)
    return (hold.reference[:8], hold.entry or "everything", reason, *map(day, moments))


def _document(hold: LegalHold) -> dict[str, Any]:
    return {
        "hold": hold.reference,
        "entry": hold.entry,
        "reason": hold.reason,
        "placed_at": measures.moment(hold.placed_at),
        "review_at": measures.moment(hold.review_at),
        "released_at": measures.moment(hold.released_at),
    }
