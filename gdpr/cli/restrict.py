"""What `gdpr_restrict` does, one function a verb, and what it answers."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from accord.cli.answer import Answer
from accord.display import day
from accord.errors import UsageError
from gdpr.cli import measures
from gdpr.cli.measures import MeasureOptions
from gdpr.erasure import restrictions
from gdpr.models import Restriction
from gdpr.states import RestrictionReason


@dataclass(frozen=True, kw_only=True)
class RestrictOptions(MeasureOptions):
    """
    What a call asks for.

    Attributes:
        told: On which day the person was told that it is lifted; empty if it isn't given.
    """

    told: str

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> RestrictOptions:
        """
        Read what the command line gave.

        Raises:
            UsageError: What the verb needs is missing.
        """
        asked = cls(**measures.common(options, "reason", "told"))
        asked.require(
            "gdpr_restrict",
            ({"add"}, asked.what, "a person"),
            ({"lift"}, asked.what, "a restriction"),
            ({"add"}, asked.reason, f"--reason, one of: {', '.join(RestrictionReason.values)}"),
        )
        if asked.verb == "lift" and not asked.told:
            raise UsageError(
                "The person has to be told before a restriction is lifted (Art. 18(3)).",
                hint="Tell them, then say on which day: --told 2026-11-27.",
            )
        return asked


def add_restrict_arguments(parser: ArgumentParser) -> None:
    """Add the flags."""
    what = "add: a key of the person, - reads it from standard input; lift: a restriction."
    measures.add_whose(parser, VERBS, what)
    measures.add_reason(parser, RestrictionReason.values, "Which letter of Art. 18(1) it is.")
    parser.add_argument(
        "--told", default="", metavar="DAY", help="The day on which the person was told that it is lifted."
    )
    measures.add_rest(parser)


def carry_out(asked: RestrictOptions) -> Answer:
    """
    Do what is asked for, and return the restrictions that it is about.

    Raises:
        AccordError: It can't be done; nothing was changed.
    """
    found = VERBS[asked.verb](asked)
    heading = ("restriction", "reason", "restricted", "person told", "lifted")
    return measures.answer("restriction", heading, [*map(_row, found)], [*map(_document, found)])


def _add(asked: RestrictOptions) -> Sequence[Restriction]:
    keys, reason = asked.person(), RestrictionReason(asked.reason)
    return [restrictions.restrict(keys, reason, by=asked.account())]


def _list(_asked: RestrictOptions) -> Sequence[Restriction]:
    return list(Restriction.objects.filter(lifted_at__isnull=True))


def _lift(asked: RestrictOptions) -> Sequence[Restriction]:
    found = measures.only(Restriction, asked.what, "restriction", "See gdpr_restrict list.")
    told_at = restrictions.told_on(_day(asked.told), found)
    return [restrictions.lift(found, told_at=told_at, by=asked.account())]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise UsageError("That is no day.", hint="Write it as 2026-11-27.") from exc


VERBS: Mapping[str, Callable[[RestrictOptions], Sequence[Restriction]]] = {
    "add": _add,
    "list": _list,
    "lift": _lift,
}


def _row(one: Restriction) -> tuple[str, ...]:
    reason = f"{one.get_reason_display()} ({one.reason})"
    moments = (one.restricted_at, one.told_at, one.lifted_at)
    return (one.reference[:8], reason, *map(day, moments))


def _document(one: Restriction) -> dict[str, Any]:
    return {
        "restriction": one.reference,
        "reason": one.reason,
        "restricted_at": measures.moment(one.restricted_at),
        "told_at": measures.moment(one.told_at),
        "lifted_at": measures.moment(one.lifted_at),
    }
