"""What `gdpr_restrict` does, one function a verb, and what it answers."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils import timezone

from accord.acting import Account
from accord.cli.answer import Answer
from accord.cli.arguments import add_acting, add_format, add_noinput
from accord.display import day
from accord.errors import UsageError
from accord.proof import Credentials
from gdpr.cli import answers, whom
from gdpr.erasure import encryption, restrictions
from gdpr.errors import UnknownRequest
from gdpr.models import Restriction
from gdpr.states import RestrictionReason


@dataclass(frozen=True, kw_only=True)
class RestrictOptions:
    """
    What a call asks for.

    Attributes:
        verb: What to do.
        what: A key of the person, or the beginning of a restriction's reference.
        by: Name of that key; empty to try every one.
        choose: The primary key of one of several people who have it; empty where there is one.
        reason: Why; empty if it isn't given.
        told: On which day the person was told that it is lifted; empty if it isn't given.
        who: What is said of who acts.
        as_json: Whether the answer is a JSON document.
    """

    verb: str
    what: str
    by: str
    choose: str
    reason: str
    told: str
    who: Credentials
    as_json: bool

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> RestrictOptions:
        """
        Read what the command line gave.

        Raises:
            UsageError: What the verb needs is missing.
        """
        names = ("verb", "by", "choose", "reason", "told")
        asked = cls(
            what=whom.key(options["what"]),
            **{name: options[name] for name in names},
            who=Credentials.read(options),
            as_json=options["format"] == "json",
        )
        if asked.verb != "list" and not asked.what:
            raise UsageError(
                "Name the person to restrict, or the restriction to lift.", hint="See gdpr_restrict --help."
            )
        if asked.verb == "add" and not asked.reason:
            raise UsageError(
                "A restriction needs a reason.",
                hint=f"--reason, one of: {', '.join(RestrictionReason.values)}",
            )
        if asked.verb == "lift" and not asked.told:
            raise UsageError(
                "The person has to be told before a restriction is lifted (Art. 18(3)).",
                hint="Tell them, then say on which day: --told 2026-11-27.",
            )
        return asked

    def account(self) -> Account:
        """Find the account that acts."""
        return self.who.account(deciding=True)


def add_restrict_arguments(parser: ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument("verb", choices=tuple(VERBS), help="What to do.")
    parser.add_argument(
        "what",
        nargs="?",
        default="",
        help="add: a key of the person, - reads it from standard input; lift: a restriction.",
    )
    whom.add_whom(parser)
    parser.add_argument(
        "--reason", choices=RestrictionReason.values, default="", help="Which letter of Art. 18(1) it is."
    )
    parser.add_argument(
        "--told", default="", metavar="DAY", help="The day on which the person was told that it is lifted."
    )
    add_acting(parser)
    add_noinput(parser)
    add_format(parser)


def carry_out(asked: RestrictOptions) -> Answer:
    """
    Do what is asked for, and return the restrictions that it is about.

    Raises:
        AccordError: It can't be done; nothing was changed.
    """
    return _answer(VERBS[asked.verb](asked))


def _add(asked: RestrictOptions) -> Sequence[Restriction]:
    keys = whom.resolve(asked.what, asked.by, asked.choose)
    tag, reason = encryption.tag_of(keys), RestrictionReason(asked.reason)
    return [restrictions.restrict(keys.kind, tag, reason, by=asked.account())]


def _list(_asked: RestrictOptions) -> Sequence[Restriction]:
    return list(Restriction.objects.filter(lifted_at__isnull=True))


def _lift(asked: RestrictOptions) -> Sequence[Restriction]:
    found = list(Restriction.objects.filter(reference__startswith=asked.what.lower())[:2])
    if not found:
        raise UnknownRequest("No restriction has a reference that begins so.", hint="See gdpr_restrict list.")
    if len(found) > 1:
        raise UnknownRequest(
            "More than one restriction has a reference that begins so.", hint="Give more digits of it."
        )
    told_at = _end_of(asked.told, found[0])
    return [restrictions.lift(found[0], told_at=told_at, by=asked.account())]


def _end_of(text: str, restriction: Restriction) -> Any:
    """Read a day; on the first and on today's the moments in between count."""
    try:
        told = date.fromisoformat(text)
    except ValueError as exc:
        raise UsageError("That is no day.", hint="Write it as 2026-11-27.") from exc
    now, begun = timezone.localtime(), timezone.localtime(restriction.restricted_at)
    if told == now.date():
        return now
    moment = now.replace(year=told.year, month=told.month, day=told.day, hour=23, minute=59, second=59)
    return begun if told == begun.date() else moment


VERBS: Mapping[str, Callable[[RestrictOptions], Sequence[Restriction]]] = {
    "add": _add,
    "list": _list,
    "lift": _lift,
}


def _answer(found: Sequence[Restriction]) -> Answer:
    rows = [_row(one) for one in found]
    heading = ("restriction", "reason", "restricted", "person told", "lifted")
    return Answer(
        document={"schema": "accord.restrictions/1", "restrictions": [_document(one) for one in found]},
        lines=answers.table(heading, rows) if rows else ["There are no restrictions."],
    )


def _row(one: Restriction) -> tuple[str, ...]:
    reason = f"{one.get_reason_display()} ({one.reason})"
    moments = (one.restricted_at, one.told_at, one.lifted_at)
    return (one.reference[:8], reason, *map(day, moments))


def _document(one: Restriction) -> dict[str, Any]:
    moments = (one.restricted_at, one.told_at, one.lifted_at)
    restricted, told, lifted = [
        moment and timezone.localtime(moment).isoformat(timespec="seconds") for moment in moments
    ]
    return {
        "restriction": one.reference,
        "reason": one.reason,
        "restricted_at": restricted,
        "told_at": told,
        "lifted_at": lifted,
    }
