"""What `gdpr_hold` and `gdpr_restrict` share: measures are put on a person's data, listed, and ended."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.utils import timezone

from accord.acting import Account
from accord.cli.answer import Answer
from accord.cli.arguments import add_acting, add_format, add_noinput
from accord.errors import UsageError
from accord.proof import Credentials
from gdpr.cli import answers, whom
from gdpr.datamap.subjects import SubjectKeys
from gdpr.errors import UnknownRequest
from gdpr.models import LegalHold, Restriction

Rows = Sequence[Sequence[str]]
_Measure = TypeVar("_Measure", LegalHold, Restriction)


@dataclass(frozen=True, kw_only=True)
class MeasureOptions:
    """
    What a call asks for.

    Attributes:
        verb: What to do.
        what: A key of the person, or the beginning of a measure's reference.
        kind: What kind of person; empty where there is one kind.
        by: Name of that key; empty to try every one.
        choose: The primary key of one of several people who have it; empty where there is one.
        reason: Why; empty if it isn't given.
        who: What is said of who acts.
        as_json: Whether the answer is a JSON document.
    """

    verb: str
    what: str
    kind: str
    by: str
    choose: str
    reason: str
    who: Credentials
    as_json: bool

    def person(self) -> SubjectKeys:
        """Find the person whom the call names."""
        return whom.resolve(self.what, self.by, self.choose, self.kind)

    def account(self) -> Account:
        """Find the account that acts."""
        return self.who.account(deciding=True)


def common(options: Mapping[str, Any]) -> dict[str, Any]:
    """Read what every measure's command line gave."""
    names = ("verb", "kind", "by", "choose", "reason")
    return {
        "what": whom.key(options["what"]),
        **{name: options[name] for name in names},
        "who": Credentials.read(options),
        "as_json": options["format"] == "json",
    }


def add_arguments(
    parser: ArgumentParser, verbs: Sequence[str], what: str, reasons: Sequence[str], why: str
) -> None:
    """
    Add the flags of every measure.

    Args:
        parser: Of the command.
        verbs: What can be done.
        what: Help of the person or measure that it is done to.
        reasons: Words for why.
        why: Help of them.
    """
    parser.add_argument("verb", choices=tuple(verbs), help="What to do.")
    parser.add_argument("what", nargs="?", default="", help=what)
    whom.add_whom(parser)
    parser.add_argument("--reason", choices=reasons, default="", help=why)
    add_acting(parser)
    add_noinput(parser)
    add_format(parser)


def require_reason(asked: MeasureOptions, verb: str, noun: str, reasons: Sequence[str]) -> None:
    """
    Make sure that a measure which is taken has a reason.

    Raises:
        UsageError: It has none.
    """
    if asked.verb == verb and not asked.reason:
        raise UsageError(f"A {noun} needs a reason.", hint=f"--reason, one of: {', '.join(reasons)}")


def only(kind: type[_Measure], begins: str, noun: str, hint: str) -> _Measure:
    """
    Find the one measure whose reference begins so.

    Args:
        kind: Which kind of measure.
        begins: What was typed of the reference.
        noun: The measure in a sentence.
        hint: Where its references stand.

    Raises:
        UnknownRequest: There is none, or more than one.
    """
    found = list(kind.objects.filter(reference__startswith=begins.lower())[:2])
    if not found:
        raise UnknownRequest(f"No {noun} has a reference that begins so.", hint=hint)
    if len(found) > 1:
        raise UnknownRequest(
            f"More than one {noun} has a reference that begins so.", hint="Give more digits of it."
        )
    return found[0]


def answer(noun: str, heading: Sequence[str], rows: Rows, documents: Sequence[Mapping[str, Any]]) -> Answer:
    """Return the measures that a call is about, for people and for programs."""
    return Answer(
        document={"schema": f"accord.{noun}s/1", f"{noun}s": documents},
        lines=answers.table(heading, rows) if rows else [f"There are no {noun}s."],
    )


def moment(at: datetime | None) -> str | None:
    """Write a moment by the project's clock."""
    zone = timezone.get_default_timezone()
    return None if at is None else at.astimezone(zone).isoformat(timespec="seconds")
