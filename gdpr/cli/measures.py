"""What is put on record of a person at a command, and ended: `gdpr_hold`, `gdpr_restrict`, `gdpr_rights`."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Collection, Iterable, Mapping, Sequence
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
Documents = Sequence[Mapping[str, Any]]
Needed = tuple[Collection[str], object, str]
"""Verbs that need a value, the value, and what it is called."""
_Measure = TypeVar("_Measure", LegalHold, Restriction)


@dataclass(frozen=True, kw_only=True)
class RecordOptions:
    """
    What a call asks for that does something to what is on record of a person.

    Attributes:
        verb: What to do.
        what: A key of the person, or the beginning of a reference.
        of_kind: What kind of person; empty where there is one kind.
        by: Name of that key; empty to try every one.
        choose: The primary key of one of several people who have it; empty where there is one.
        who: What is said of who acts.
        as_json: Whether the answer is a JSON document.
    """

    verb: str
    what: str
    of_kind: str
    by: str
    choose: str
    who: Credentials
    as_json: bool

    def person(self) -> SubjectKeys:
        """Find the person whom the call names."""
        return whom.resolve(self.what, self.by, self.choose, self.of_kind)

    def account(self) -> Account:
        """Find the account that acts."""
        return self.who.account(deciding=True)

    def require(self, command: str, *needed: Needed) -> None:
        """
        Make sure that everything is given which the verb needs.

        Raises:
            UsageError: Something isn't.
        """
        for verbs, value, what in needed:
            if self.verb in verbs and not value:
                raise UsageError(f"{self.verb} needs {what}.", hint=f"See {command} --help.")


@dataclass(frozen=True, kw_only=True)
class MeasureOptions(RecordOptions):
    """
    What a call asks for.

    Attributes:
        reason: Why; empty if it isn't given.
    """

    reason: str


def common(options: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """
    Read what every such command line gave.

    Args:
        options: All of it.
        names: What is read as it stands beside that.
    """
    kind = "of_kind" if "of_kind" in options else "kind"
    return {
        "what": whom.key(options["what"]),
        "of_kind": options[kind],
        **{name: options[name] for name in ("verb", "by", "choose", *names)},
        "who": Credentials.read(options),
        "as_json": options["format"] == "json",
    }


def add_whose(parser: ArgumentParser, verbs: Iterable[str], what: str, kind: str = "--kind") -> None:
    """
    Add what stands first: what to do, and to whose record.

    Args:
        parser: Of the command.
        verbs: What can be done.
        what: Help of the person, or of what is on record, that it is done to.
        kind: Flag of the kind of person.
    """
    parser.add_argument("verb", choices=tuple(verbs), help="What to do.")
    parser.add_argument("what", nargs="?", default="", help=what)
    whom.add_whom(parser, kind=kind)


def add_reason(parser: ArgumentParser, reasons: Sequence[str], why: str) -> None:
    """Add the flag of why a measure is taken, out of some words."""
    parser.add_argument("--reason", choices=reasons, default="", help=why)


def add_rest(parser: ArgumentParser) -> None:
    """Add what stands last: who acts, and how it is answered."""
    add_acting(parser)
    add_noinput(parser)
    add_format(parser)


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


def answer(noun: str, heading: Sequence[str], rows: Rows, documents: Documents) -> Answer:
    """Return the measures that a call is about, for people and for programs."""
    return Answer(
        document={"schema": f"accord.{noun}s/1", f"{noun}s": documents},
        lines=answers.table(heading, rows) if rows else [f"There are no {noun}s."],
    )


def moment(at: datetime | None) -> str | None:
    """Write a moment by the project's clock."""
    zone = timezone.get_default_timezone()
    return None if at is None else at.astimezone(zone).isoformat(timespec="seconds")
