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
from gdpr.cli import answers
from gdpr.datamap.lapses import by_words
from gdpr.datamap.map import load_data_map
from gdpr.erasure import planning
from gdpr.erasure.schedule import Stop
from gdpr.models import RetentionRun
from gdpr.retention import due, running
from gdpr.retention.due import Due
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
        who: What is said of who acts.
        lock_wait: Seconds to wait for another run.
        as_json: Whether the answer is a JSON document.
    """

    dry_run: bool
    entry: str
    limit: int | None
    yes: bool
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
        names = ("dry_run", "entry", "limit", "yes", "lock_wait")
        given = {name: options[name] for name in names}
        asked = cls(**given, who=Credentials.read(options), as_json=options["format"] == "json")
        if asked.dry_run and asked.yes:
            raise UsageError("--dry-run tells, and --yes lets go.", hint="Give one of the two.")
        if asked.limit is not None and asked.limit < 1:
            raise UsageError("--limit must be 1 or more.", hint="Leave it out to let everything go.")
        return asked


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
    deciding = asked.yes
    person = asked.who.account(deciding=deciding) if deciding or asked.who.is_given else None
    done = running.let_go(
        entry=asked.entry,
        limit=asked.limit,
        by=person,
        looked_at=asked.yes,
        wait=asked.lock_wait,
        stop=stop,
    )
    return _done(done, asked)


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
    return Answer(document=_document(code, asked, found, ()), lines=_lines(heading, rows, asked), code=code)


def _done(done: Sequence[RetentionRun], asked: RetentionOptions) -> Answer:
    whole = all(one.state == RetentionState.DONE for one in done)
    limited = all(one.state in (RetentionState.DONE, RetentionState.STOPPED) for one in done)
    code = ExitCode.DONE if whole or (limited and asked.limit) else ExitCode.PARTIAL
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
    return Answer(document=_document(code, asked, (), done), lines=_lines(heading, rows, asked), code=code)


def _lines(heading: Sequence[str], rows: Sequence[Sequence[str]], asked: RetentionOptions) -> Iterator[str]:
    if rows:
        yield from answers.table(heading, rows)
    else:
        yield "No entry of the data map has a term that rows run out by."
    words = [] if asked.entry else by_words(load_data_map())
    if words:
        yield f"Kept by words, which end nothing: {', '.join(one.id for one in words)}."


def _document(
    code: ExitCode, asked: RetentionOptions, found: Sequence[Due], done: Sequence[RetentionRun]
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
