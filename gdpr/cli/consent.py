"""What `gdpr_consent` does: show what a person consented to, or give the receipt of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.management.base import CommandParser

from accord.cli.answer import Answer
from accord.cli.arguments import add_format
from accord.display import day
from gdpr.cli import answers, whom
from gdpr.consent import receipts, register
from gdpr.consent.people import Someone, someone
from gdpr.erasure import on_record
from gdpr.models import ConsentEvent


@dataclass(frozen=True, kw_only=True)
class ConsentOptions:
    """
    What a call asks for.

    Attributes:
        subject: A key of the person; the primary one for who is erased.
        kind: What kind of person; empty where there is one kind.
        by: Name of that key; empty to try every one.
        purpose: The purpose whose receipt is wanted; empty for an overview.
        as_json: Whether the overview is a JSON document; a receipt always is.
    """

    subject: str
    kind: str
    by: str
    purpose: str
    as_json: bool

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> ConsentOptions:
        """Read what the command line gave."""
        names = ("subject", "kind", "by", "purpose")
        return cls(**{name: options[name] for name in names}, as_json=options["format"] == "json")


def add_consent_arguments(parser: CommandParser) -> None:
    """Add the flags."""
    parser.add_argument("subject", metavar="KEY", help="A key of the person: id, e-mail address, ...")
    whom.add_kind(parser)
    parser.add_argument("--by", default="", metavar="NAME", help="Which key it is.")
    parser.add_argument(
        "--receipt",
        default="",
        dest="purpose",
        metavar="PURPOSE",
        help="Print the signed receipt of a consent.",
    )
    add_format(parser)


def carry_out(asked: ConsentOptions) -> Answer:
    """
    Show the consents of a person, or the receipt of one. Nothing is recorded.

    Raises:
        UnknownSubject: Nobody has this key, and nothing is on record of anybody who had it.
        ConsentRefused: The person was never asked about this purpose.
    """
    who = _who(asked)
    if asked.purpose:
        receipt = receipts.issue(who, asked.purpose)
        return Answer(document=receipt, lines=[json.dumps(receipt, indent=2, ensure_ascii=False)])
    events = register.history(who)
    newest = {event.purpose: event for event in events}
    standing = [newest[purpose] for purpose in sorted(newest)]
    return Answer(document=_document(who, standing), lines=_lines(standing))


def _who(asked: ConsentOptions) -> Someone:
    keys = on_record.find(asked.subject, [ConsentEvent], by=asked.by, kind=asked.kind)
    return someone(keys.kind, keys.primary)


def _document(who: Someone, standing: list[ConsentEvent]) -> dict[str, Any]:
    return {
        "schema": "accord.consents/1",
        "intact": register.verify_history(who),
        "consents": [
            {
                "purpose": event.purpose,
                "state": event.type,
                "granted": register.grants(event),
                "notice": event.notice.version,
                "at": event.at.isoformat(),
                "valid_until": event.valid_until and event.valid_until.isoformat(),
                "given_by": event.given_by,
            }
            for event in standing
        ],
    }


def _lines(standing: list[ConsentEvent]) -> Iterator[str]:
    if not standing:
        yield "Nothing is on record."
        return
    heading = ("purpose", "state", "counts", "notice", "at", "until")
    yield from answers.table(heading, [_row(event) for event in standing])


def _row(event: ConsentEvent) -> tuple[str, ...]:
    counts = "yes" if register.grants(event) else "no"
    return (event.purpose, event.type, counts, event.notice.version, day(event.at), day(event.valid_until))
