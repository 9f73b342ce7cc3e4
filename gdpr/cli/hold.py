"""What `gdpr_hold` does, one function a verb, and what it answers."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from accord.acting import Account
from accord.cli.answer import Answer
from accord.cli.arguments import add_acting, add_format, add_noinput
from accord.display import day
from accord.errors import UsageError
from accord.proof import Credentials
from gdpr.cli import answers, whom
from gdpr.datamap.map import load_data_map
from gdpr.erasure import encryption, holds
from gdpr.errors import UnknownRequest
from gdpr.models import LegalHold
from gdpr.states import HoldReason


@dataclass(frozen=True, kw_only=True)
class HoldOptions:
    """
    What a call asks for.

    Attributes:
        verb: What to do.
        what: A key of the person, or the beginning of a hold's reference.
        kind: What kind of person; empty where there is one kind.
        by: Name of that key; empty to try every one.
        choose: The primary key of one of several people who have it; empty where there is one.
        entry: The entry of the data map that is held; empty for everything.
        reason: Why; empty if it isn't given.
        who: What is said of who acts.
        as_json: Whether the answer is a JSON document.
    """

    verb: str
    what: str
    kind: str
    by: str
    choose: str
    entry: str
    reason: str
    who: Credentials
    as_json: bool

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> HoldOptions:
        """
        Read what the command line gave.

        Raises:
            UsageError: What the verb needs is missing.
        """
        names = ("verb", "kind", "by", "choose", "entry", "reason")
        asked = cls(
            what=whom.key(options["what"]),
            **{name: options[name] for name in names},
            who=Credentials.read(options),
            as_json=options["format"] == "json",
        )
        if asked.verb != "list" and not asked.what:
            raise UsageError("Name the person to hold, or the hold to release.", hint="See gdpr_hold --help.")
        if asked.verb == "place" and not asked.reason:
            raise UsageError(
                "A hold needs a reason.", hint=f"--reason, one of: {', '.join(HoldReason.values)}"
            )
        return asked

    def account(self) -> Account:
        """Find the account that acts."""
        return self.who.account(deciding=True)


def add_hold_arguments(parser: ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument("verb", choices=tuple(VERBS), help="What to do.")
    parser.add_argument(
        "what",
        nargs="?",
        default="",
        help="place: a key of the person, - reads it from standard input; release: a hold.",
    )
    whom.add_whom(parser)
    parser.add_argument(
        "--entry", default="", help="Hold one entry of the data map; everything unless given."
    )
    parser.add_argument("--reason", choices=HoldReason.values, default="", help="Why it is placed.")
    add_acting(parser)
    add_noinput(parser)
    add_format(parser)


def carry_out(asked: HoldOptions) -> Answer:
    """
    Do what is asked for, and return the holds that it is about.

    Raises:
        AccordError: It can't be done; nothing was changed.
    """
    return _answer(VERBS[asked.verb](asked))


def _place(asked: HoldOptions) -> Sequence[LegalHold]:
    keys = whom.resolve(asked.what, asked.by, asked.choose, asked.kind)
    if asked.entry:
        load_data_map().of(keys.kind).entry(asked.entry)
    tag, reason = encryption.tag_of(keys), HoldReason(asked.reason)
    return [holds.place_hold(keys.kind, tag, reason, by=asked.account(), entry=asked.entry)]


def _list(_asked: HoldOptions) -> Sequence[LegalHold]:
    return list(LegalHold.objects.filter(released_at__isnull=True))


def _release(asked: HoldOptions) -> Sequence[LegalHold]:
    found = list(LegalHold.objects.filter(reference__startswith=asked.what.lower())[:2])
    if not found:
        raise UnknownRequest("No hold has a reference that begins so.", hint="See gdpr_hold list.")
    if len(found) > 1:
        raise UnknownRequest(
            "More than one hold has a reference that begins so.", hint="Give more digits of it."
        )
    return [holds.release_hold(found[0], by=asked.account())]


VERBS: Mapping[str, Callable[[HoldOptions], Sequence[LegalHold]]] = {
    "place": _place,
    "list": _list,
    "release": _release,
}


def _answer(found: Sequence[LegalHold]) -> Answer:
    documents = [_document(hold) for hold in found]
    rows = [_row(hold) for hold in found]
    heading = ("hold", "entry", "reason", "placed", "review", "released")
    return Answer(
        document={"schema": "accord.holds/1", "holds": documents},
        lines=answers.table(heading, rows) if rows else ["There are no holds."],
    )


def _row(hold: LegalHold) -> tuple[str, ...]:
    reason = f"{hold.get_reason_display()} ({hold.reason})"
    moments = (hold.placed_at, hold.review_at, hold.released_at)
    return (hold.reference[:8], hold.entry or "everything", reason, *map(day, moments))


def _document(hold: LegalHold) -> dict[str, Any]:
    moments = (hold.placed_at, hold.review_at, hold.released_at)
    placed, review, released = [
        moment and moment.astimezone(timezone.get_default_timezone()).isoformat(timespec="seconds")
        for moment in moments
    ]
    return {
        "hold": hold.reference,
        "entry": hold.entry,
        "reason": hold.reason,
        "placed_at": placed,
        "review_at": review,
        "released_at": released,
    }
