"""What `gdpr_rights` does, one function a verb, and what it answers."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from accord import clock
from accord.acting import Account
from accord.cli.answer import Answer
from accord.display import day
from gdpr.cli import answers, erase_options, measures
from gdpr.cli.measures import RecordOptions
from gdpr.erasure import deadlines
from gdpr.models import RightsRequest
from gdpr.rights import requests
from gdpr.states import Channel, RightKind, RightRefusal


@dataclass(frozen=True, kw_only=True)
class RightsOptions(RecordOptions):
    """
    What a call asks for.

    Attributes:
        kind: Which right; empty where none is filed.
        received: Day on which it came in; None for today.
        ground: Why it is refused; empty where it isn't.
        note: What the person asks for, or what was done.
    """

    kind: str
    received: date | None
    ground: str
    note: str = field(repr=False)

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> RightsOptions:
        """
        Read what the command line gave.

        Raises:
            UsageError: What the verb needs is missing.
        """
        received = erase_options.day(options["received"])
        asked = cls(**measures.common(options, "kind", "ground", "note"), received=received)
        asked.require(
            "gdpr_rights",
            ({"file"}, asked.what, "a person"),
            (VERBS.keys() - {"file", "list"}, asked.what, "a request"),
            ({"file"}, asked.kind, "--kind"),
            ({"file", "answer", "refuse"}, asked.note, "--note"),
            ({"refuse"}, asked.ground, "--ground"),
        )
        return asked

    def account(self) -> Account:
        """Find the account that acts; who answers a request decides about it."""
        return self.who.account(deciding=self.verb in ("answer", "refuse"))


def add_rights_arguments(parser: ArgumentParser) -> None:
    """Add the flags."""
    what = "file: a key of the person, - reads it from standard input; else: a request."
    measures.add_whose(parser, VERBS, what, kind="--of-kind")
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
    measures.add_rest(parser)


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
    keys = asked.person()
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
        "received_at": measures.moment(one.received_at),
        "due_at": measures.moment(one.due_at),
        "closed_at": measures.moment(one.closed_at),
    }
