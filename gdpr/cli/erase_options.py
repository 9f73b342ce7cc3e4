"""The options of `gdpr_erase`, and what doesn't fit together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from accord.cli.arguments import add_acting, add_format, add_noinput
from accord.errors import UsageError
from accord.proof import Credentials
from gdpr.cli import whom
from gdpr.states import Ground, IdentityMethod, RejectionGround

_DECISIONS = ("approve", "revoke", "reject", "cancel", "confirm", "same_person", "another_person")


@dataclass(frozen=True, kw_only=True)
class EraseOptions:
    """
    What a call asks for.

    Attributes:
        subject: A key of the person; empty where a request is named.
        kind: What kind of person; empty where there is one kind.
        by: Name of that key; empty to try every one.
        choose: The primary key of one of several people who have it; empty where there is one.
        request: The beginning of a reference; empty where a person is named.
        keys: The keys of the person of a request whose own key was lost.
        who: What is said of who acts.
        ground: Why the person may demand it.
        received: The day on which the demand came in; None for today.
        identity: How it was made sure who asks; None if nothing is said about it.
        approve: Approve the plan.
        revoke: Take a yes to the plan back.
        reject: The ground on which the request is refused, if it is.
        cancel: Take the request back.
        confirm: The manual entry whose instructions were followed; empty for none.
        same_person: The entry whose newer rows are those of the person who is erased; empty for none.
        another_person: The entry whose newer rows are somebody else's; empty for none.
        reason: Why it is approved, taken back or refused.
        dry_run: Count, and record nothing.
        resume: Try now what waits.
        scrub: Have the stores write over what was deleted.
        verify_only: Read every store, and change nothing.
        receipt: Where the receipt is written to, if anywhere.
        interactive: Whether questions may be asked.
        as_json: Whether the answer is a JSON document.
    """

    subject: str
    kind: str
    by: str
    choose: str
    request: str
    keys: tuple[str, ...]
    who: Credentials
    ground: Ground
    received: date | None
    identity: IdentityMethod | None
    approve: bool
    revoke: bool
    reject: RejectionGround | None
    cancel: bool
    confirm: str
    same_person: str
    another_person: str
    reason: str
    dry_run: bool
    scrub: bool
    resume: bool
    verify_only: bool
    receipt: Path | None
    interactive: bool
    as_json: bool

    @property
    def judged(self) -> bool:
        """Whether something is said to the plan: yes, no, or a yes no more."""
        return bool(self.approve or self.revoke or self.reject)

    @property
    def decides(self) -> bool:
        """Whether a decision about a request is asked for."""
        told = self.confirm or self.same_person or self.another_person
        return bool(self.judged or self.cancel or told)

    @property
    def judges(self) -> bool:
        """Whether that is a decision which only a person takes; taking back one's own demand is none."""
        return self.decides and not self.cancel

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> EraseOptions:
        """
        Read what the command line gave.

        Raises:
            UsageError: Neither or both of a person and a request are named, or a decision lacks a request.
        """
        _refuse_contradictions(options)
        names = ("kind", "by", "choose", "request", "cancel", "reason")
        entries = ("confirm", "same_person", "another_person")
        switches = ("approve", "revoke", "dry_run", "scrub", "resume", "verify_only", "interactive")
        return cls(
            subject=whom.key(options["subject"]),
            **{name: options[name] for name in (*names, *entries, *switches)},
            who=Credentials.read(options),
            ground=Ground(options["ground"]),
            received=day(options["received"]),
            keys=tuple(map(whom.key, options["key"])),
            identity=IdentityMethod(options["identity"]) if options["identity"] else None,
            reject=RejectionGround(options["reject"]) if options["reject"] else None,
            receipt=Path(options["receipt"]) if options["receipt"] else None,
            as_json=options["format"] == "json",
        )


def _refuse_contradictions(options: Mapping[str, Any]) -> None:
    if bool(options["subject"]) == bool(options["request"]):
        raise UsageError(
            "Name a person or a request, and not both.",
            hint="gdpr_erase SUBJECT, or gdpr_erase --request REFERENCE",
        )
    decided = [name for name in (*_DECISIONS, "key", "scrub") if options[name]]
    if decided and not options["request"]:
        raise UsageError(
            f"--{decided[0].replace('_', '-')} is about a request.",
            hint=f"gdpr_erase --request REFERENCE --{decided[0].replace('_', '-')}",
        )


def day(text: str) -> date | None:
    """
    Read a day as it is typed; None for nothing.

    Raises:
        UsageError: It is none.
    """
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as exc:
        raise UsageError(f"“{text}” is no day.", hint="Write it as 2026-01-31.") from exc


def add_erase_arguments(parser: CommandParser) -> None:
    """Add the flags."""
    _add_whom(parser)
    _add_decisions(parser)
    parser.add_argument("--dry-run", action="store_true", help="Count what would be erased; record nothing.")
    parser.add_argument(
        "--resume", action="store_true", help="Try now what waits for a store or for a person."
    )
    parser.add_argument(
        "--verify-only", action="store_true", help="Ask every store what it still holds; change nothing."
    )
    parser.add_argument(
        "--scrub",
        action="store_true",
        help="Have the stores write over what a complete erasure deleted, as far as each can.",
    )
    parser.add_argument(
        "--receipt", default="", metavar="FILE", help="Write the receipt: a page for .html, else JSON."
    )
    add_noinput(parser)
    add_format(parser)


def _add_whom(parser: CommandParser) -> None:
    parser.add_argument(
        "subject",
        nargs="?",
        default="",
        help="A key of the person: id, e-mail address, ...; - reads it from standard input.",
    )
    whom.add_whom(parser)
    parser.add_argument(
        "--request", default="", metavar="REFERENCE", help="A request; its first digits are enough."
    )
    parser.add_argument(
        "--key",
        action="append",
        default=[],
        metavar="KEY",
        help="A key of the person again, because that of the request was lost (ACC-838); more as NAME=VALUE.",
    )
    add_acting(parser)
    parser.add_argument(
        "--ground",
        choices=Ground.values,
        default=Ground.NO_LONGER_NECESSARY.value,
        help="Why the person may demand it (Art. 17(1)).",
    )
    parser.add_argument(
        "--received",
        default="",
        metavar="DAY",
        help="Day on which the demand came in (2026-01-31), from which the month of Art. 12(3) counts; today "
        "unless given.",
    )
    parser.add_argument(
        "--identity", choices=IdentityMethod.values, default="", help="How it was made sure who asks."
    )


def _add_decisions(parser: CommandParser) -> None:
    decisions = parser.add_mutually_exclusive_group()
    decisions.add_argument(
        "--approve",
        action="store_true",
        help="Approve the plan, as another person than the one who filed it.",
    )
    decisions.add_argument(
        "--revoke",
        action="store_true",
        help="Take a yes back before the erasure begins: your own, or else those of all others.",
    )
    decisions.add_argument(
        "--reject", choices=RejectionGround.values, default="", help="Refuse the request on a legal ground."
    )
    decisions.add_argument("--cancel", action="store_true", help="Take the request back before it has begun.")
    decisions.add_argument(
        "--confirm",
        default="",
        metavar="ENTRY",
        help="Note that a manual entry's instructions were followed.",
    )
    decisions.add_argument(
        "--same-person",
        default="",
        metavar="ENTRY",
        help="Rows of this entry that came after the erasure are those of the same person: erase them.",
    )
    decisions.add_argument(
        "--another-person",
        default="",
        metavar="ENTRY",
        help="Rows of this entry that came after the erasure are somebody else's: leave them alone.",
    )
    parser.add_argument(
        "--reason", default="", help="Why it is approved, taken back or refused; kept encrypted."
    )
