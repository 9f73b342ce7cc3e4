"""What `gdpr_rights` does, one function a verb, and what it answers."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.utils import timezone

from accord import clock
from accord.acting import Account
from accord.cli.answer import Answer
from accord.cli.arguments import add_acting, add_format, add_noinput
from accord.display import day
from accord.errors import UsageError
from accord.proof import Credentials
from gdpr.cli import answers, erase_options, whom
from gdpr.erasure import deadlines
from gdpr.models import RightsRequest
from gdpr.rights import requests
from gdpr.states import Channel, RightKind, RightRefusal


@dataclass(frozen=True, kw_only=True)
class RightsOptions:
    """
    What a call asks for.

    Attributes:
        verb: What to do.
        what: A key of the person, or the beginning of a request's reference.
        of_kind: What kind of person; empty where there is one kind.
        by: Name of that key; empty to try every one.
        choose: The primary key of one of several people who have it; empty where there is one.
        kind: Which right; empty where none is filed.
        received: Day on which it came in; None for today.
        ground: Why it is refused; empty where it isn't.
        note: What the person asks for, or what was done.
        who: What is said of who acts.
        as_json: Whether the answer is a JSON document.
    """

    verb: str
    what: str
    of_kind: str
    by: str
    choose: str
    kind: str
    received: date | None
    ground: str
    note: str = field(repr=False)
    who: Credentials
    as_json: bool

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> RightsOptions:
        """
        Read what the command line gave.

        Raises:
            UsageError: What the verb needs is missing.
        """
        names = ("verb", "of_kind", "by", "choose", "kind", "ground", "note")
        asked = cls(
            what=whom.key(options["what"]),
            **{name: options[name] for name in names},
            received=erase_options.day(options["received"]),
            who=Credentials.read(options),
            as_json=options["format"] == "json",
        )
        asked.require()
        return asked

    def require(self) -> None:
        """
        Make sure that everything is given which the verb needs.

        Raises:
            UsageError: Something isn't.
        """
        needed = (
            ({"list"} ^ set(VERBS), self.what, "a person or a request"),
            ({"file"}, self.kind, "--kind"),
            ({"file", "answer", "refuse"}, self.note, "--note"),
            ({"refuse"}, self.ground, "--ground"),
        )
        for verbs, value, flag in needed:
            if self.verb in verbs and not value:
                raise UsageError(f"{self.verb} needs {flag}.", hint="See gdpr_rights --help.")

    def account(self) -> Account:
        """Find the account that acts; who answers a request decides about it."""
        return self.who.account(deciding=self.verb in ("answer", "refuse"))


def add_rights_arguments(parser: ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument("verb", choices=tuple(VERBS), help="What to do.")
    parser.add_argument(
        "what",
        nargs="?",
        default="",
        help="file: a key of the person, - reads it from standard input; else: a request.",
    )
    whom.add_whom(parser, kind="--of-kind")
    parser.add_argument("--kind", choices=RightKind.values, default="", help="Which right is asked for.")
    parser.add_argument(
        "--received",
        default="",
        metavar="DAY",
        help="Day on which it came in (2026-01-31), from which the month counts; today unless given.",
    )
    parser.add_argument("--ground", choices=RightRefusal.values, default="", help="Why it is refused.")
    parser.add_argument(
        "--note", default="", help="What the person asks for, or what was done or said; kept encrypted."
    )
    add_acting(parser)
    add_noinput(parser)
    add_format(parser)


def carry_out(asked: RightsOptions) -> Answer:
    """
    Do what is asked for, and return the requests that it is about.

    Raises:
        AccordError: It can't be done; nothing was changed.
    """
    found = VERBS[asked.verb](asked)
    rows = [_row(one) for one in found]
    heading = ("request", "right", "state", "received", "due", "closed")
    return Answer(
        document={"schema": "accord.rights/1", "requests": [_document(one) for one in found]},
        lines=answers.table(heading, rows) if rows else ["No request of a right is open."],
    )


def _file(asked: RightsOptions) -> Sequence[RightsRequest]:
    keys = whom.resolve(asked.what, asked.by, asked.choose, asked.of_kind)
    received = deadlines.received_on(asked.received, clock.now()) if asked.received else None
    return [
        requests.file(
            keys,
            RightKind(asked.kind),
            words=asked.note,
            by=asked.account(),
            channel=Channel.COMMAND,
            received_at=received,
        )
    ]


def _list(_asked: RightsOptions) -> Sequence[RightsRequest]:
    return list(RightsRequest.objects.filter(state__in=requests.OPEN))


def _take(asked: RightsOptions) -> Sequence[RightsRequest]:
    return [requests.take(requests.find(asked.what), by=asked.account())]


def _answer(asked: RightsOptions) -> Sequence[RightsRequest]:
    return [requests.answer(requests.find(asked.what), asked.note, by=asked.account())]


def _refuse(asked: RightsOptions) -> Sequence[RightsRequest]:
    ground = RightRefusal(asked.ground)
    return [requests.refuse(requests.find(asked.what), ground, asked.note, by=asked.account())]


def _withdraw(asked: RightsOptions) -> Sequence[RightsRequest]:
    return [requests.withdraw(requests.find(asked.what), by=asked.account())]


VERBS: Mapping[str, Callable[[RightsOptions], Sequence[RightsRequest]]] = {
    "file": _file,
    "list": _list,
    "take": _take,
    "answer": _answer,
    "refuse": _refuse,
    "withdraw": _withdraw,
}


def _row(one: RightsRequest) -> tuple[str, ...]:
    moments = (one.received_at, one.due_at, one.closed_at)
    return (one.reference[:8], one.kind, one.get_state_display(), *map(day, moments))


def _document(one: RightsRequest) -> dict[str, Any]:
    return {
        "request": one.reference,
        "kind": one.kind,
        "state": one.state,
        "refused_because": one.refusal_ground,
        "received_at": _iso(one.received_at),
        "due_at": _iso(one.due_at),
        "closed_at": _iso(one.closed_at),
    }


def _iso(moment: datetime | None) -> str | None:
    zone = timezone.get_default_timezone()
    return None if moment is None else moment.astimezone(zone).isoformat(timespec="seconds")
