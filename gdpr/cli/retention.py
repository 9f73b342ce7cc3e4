"""What `gdpr_retention` does, and what it answers."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from accord.cli.answer import Answer
from accord.cli.arguments import add_acting, add_format, add_noinput
from accord.errors import ExitCode, UsageError
from accord.meanings import meaning
from accord.proof import Credentials
from gdpr.cli import answers, retention_plans
from gdpr.datamap.lapses import by_words
from gdpr.datamap.map import load_data_map
from gdpr.erasure import planning
from gdpr.erasure.schedule import Stop
from gdpr.models import RetentionPlan, RetentionRun
from gdpr.retention import due, inactivity, running
from gdpr.retention.due import Due
from gdpr.retention.inactivity import Followed
from gdpr.retention.plans import open_plans
from gdpr.retention.running import LetGo
from gdpr.states import LapseKind, RetentionState
from gdpr.stores.base import opened_stores

_MOST = 100_000
"""Rows of each term that --dry-run counts at most."""


@dataclass(frozen=True, kw_only=True)
class RetentionOptions:
    """
    What a call asks for.

    Attributes:
        dry_run: Tell, and change nothing.
        entry: Id of one entry; empty for every one.
        limit: Rows of each term at most; None for all.
        yes: Whether a person has looked, and says yes.
        approve: Reference of a plan to approve; empty for none.
        reject: Reference of a plan to reject; empty for none.
        reason: Why, in words.
        who: What is said of who acts.
        lock_wait: Seconds to wait for another run.
        as_json: Whether the answer is a JSON document.
    """

    dry_run: bool
    entry: str
    limit: int | None
    yes: bool
    approve: str
    reject: str
    reason: str
    who: Credentials
    lock_wait: float
    as_json: bool

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> RetentionOptions:
        """
        Read what the command line gave.

        Raises:
            UsageError: Two things are asked for that don't go together, or a limit lets nothing go.
        """
        names = ("dry_run", "entry", "limit", "yes", "approve", "reject", "reason", "lock_wait")
        given = {name: options[name] for name in names}
        asked = cls(**given, who=Credentials.read(options), as_json=options["format"] == "json")
        if asked.dry_run and asked.yes:
            raise UsageError("--dry-run tells, and --yes lets go.", hint="Give one of the two.")
        if asked.limit is not None and asked.limit < 1:
            raise UsageError("--limit must be 1 or more.", hint="Leave it out to let everything go.")
        asked._refuse_mixed()
        return asked

    @property
    def decides(self) -> bool:
        """Whether it decides about a plan, and lets nothing go."""
        return bool(self.approve or self.reject)

    def _refuse_mixed(self) -> None:
        others = self.dry_run or self.yes or self.entry or self.limit is not None
        if self.decides and (others or (self.approve and self.reject)):
            raise UsageError(
                "A plan is decided about by itself: --approve or --reject, and nothing else that is done.",
                hint="Give one of the two, with --as USERNAME.",
            )
        if self.reason and not self.reject:
            raise UsageError("--reason says why a plan is rejected.", hint="Leave it out, or give --reject.")


def add_retention_arguments(parser: ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument("--dry-run", action="store_true", help="Count what is due; change nothing.")
    parser.add_argument(
        "--entry", default="", metavar="NAME", help="Only what one entry of the data map says."
    )
    parser.add_argument(
        "--limit",
        type=int,
        default=None,
        metavar="N",
        help="Rows and documents of each term at most (default: all).",
    )
    parser.add_argument(
        "--yes",
        action="store_true",
        help="However much it is: a person who may carry erasures out has looked, and says yes.",
    )
    parser.add_argument(
        "--approve",
        default="",
        metavar="REFERENCE",
        help="A second person says yes to a plan that waits: the next run carries it out.",
    )
    parser.add_argument(
        "--reject", default="", metavar="REFERENCE", help="A second person says no: nothing of it goes."
    )
    parser.add_argument("--reason", default="", metavar="TEXT", help="Why it is rejected; kept encrypted.")
    add_acting(parser, unless="the suite itself")
    parser.add_argument(
        "--lock-wait",
        type=float,
        default=0,
        metavar="SECONDS",
        help="How long to wait where another run is under way (default: not at all).",
    )
    add_noinput(parser)
    add_format(parser)


def carry_out(asked: RetentionOptions, stop: Stop) -> Answer:
    """
    Do what is asked for.

    Args:
        asked: What.
        stop: Asked between two batches.

    Raises:
        AccordError: It can't be done.
    """
    if asked.dry_run:
        return _told(asked)
    if asked.decides:
        return retention_plans.decided(asked.approve, asked.reject, asked.reason, asked.who)
    person = asked.who.account(deciding=asked.yes) if asked.yes or asked.who.is_given else None
    done = running.let_go(
        entry=asked.entry,
        limit=asked.limit,
        by=person,
        looked_at=asked.yes,
        wait=asked.lock_wait,
        stop=stop,
    )
    nobody = None if asked.entry else inactivity.follow(by=person, wait=asked.lock_wait, stop=stop)
    return _done(done, nobody, asked)


def _told(asked: RetentionOptions) -> Answer:
    planning.require_map()
    with opened_stores() as stores:
        found = list(due.look(stores, entry=asked.entry, most=asked.limit or _MOST))
    unread = [one for one in found if one.trouble not in ("", due.UNTOLD)]
    code = ExitCode.PARTIAL if unread else ExitCode.DONE
    rows = [
        (one.store, one.entry, _of(one.kind), one.rule, _number(one), f"{one.held:,}", _why(one.trouble))
        for one in found
    ]
    heading = ("store", "entry", "of", "kept until", "due", "on hold", "")
    plans = open_plans()
    return Answer(
        document=_document(code, asked, found, (), plans),
        lines=[*_lines(heading, rows, asked), *retention_plans.lines(plans)],
        code=code,
    )


def _done(run: LetGo, followed: Followed | None, asked: RetentionOptions) -> Answer:
    done, waiting = run.done, [] if run.waiting is None else [run.waiting]
    whole = all(one.state == RetentionState.DONE for one in done)
    limited = all(one.state in (RetentionState.DONE, RetentionState.STOPPED) for one in done)
    code = ExitCode.DONE if whole or (limited and asked.limit) else ExitCode.PARTIAL
    code = ExitCode.AWAITING_APPROVAL if waiting else code
    rows = [
        (
            one.store,
            one.entry,
            _of(one.kind),
            f"{one.changed:,}",
            f"{one.held:,}",
            _state(one),
            _why(one.trouble),
        )
        for one in done
    ]
    heading = ("store", "entry", "of", "gone", "on hold", "now", "")
    document = {
        **_document(code, asked, (), done, waiting),
        "inactive": followed and asdict(followed),
        "void": run.void,
    }
    table = () if waiting else _lines(heading, rows, asked)
    lines = [*table, *retention_plans.lines(waiting, run.void), *_followed(followed)]
    return Answer(document=document, lines=lines, code=code)


def _followed(found: Followed | None) -> Iterator[str]:
    if found is None:
        return
    yield (
        f"Inactive people: {found.warned} warned, {found.filed} whose erasure was asked for, "
        f"{found.returned} seen again."
    )
    if found.waiting:
        yield f"{found.waiting} wait for a run by an account that may file: gdpr_retention --as USERNAME."
    if found.unsent:
        yield f"{found.unsent} could not be written to: no address, or the mail server didn't take it."


def _lines(heading: Sequence[str], rows: Sequence[Sequence[str]], asked: RetentionOptions) -> Iterator[str]:
    if rows:
        yield from answers.table(heading, rows)
    else:
        yield "No entry of the data map has a term that rows run out by."
    words = [] if asked.entry else by_words(load_data_map())
    if words:
        yield f"Kept by words, which end nothing: {', '.join(one.id for one in words)}."


def _document(
    code: ExitCode,
    asked: RetentionOptions,
    found: Sequence[Due],
    done: Sequence[RetentionRun],
    plans: Sequence[RetentionPlan],
) -> dict[str, Any]:
    return {
        "schema": "accord.retention/1",
        "exit_code": int(code),
        "dry_run": asked.dry_run,
        "due": [asdict(one) for one in found],
        "done": [
            {
                name: getattr(one, name)
                for name in ("entry", "store", "kind", "state", "changed", "held", "trouble")
            }
            for one in done
        ],
        "plans": [retention_plans.document(one) for one in plans],
        "by_words": [] if asked.entry else [one.id for one in by_words(load_data_map())],
    }


def _of(kind: str) -> str:
    return str(LapseKind(kind).label)


def _state(one: RetentionRun) -> str:
    return str(one.get_state_display())


def _number(one: Due) -> str:
    return "-" if one.trouble else f"{one.due:,}{'+' * one.more}"


def _why(trouble: str) -> str:
    if trouble == due.UNTOLD:
        return "its rows don't say whose they are: nothing ends them by this term"
    return meaning(trouble)
