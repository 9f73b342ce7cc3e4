"""What `audit_verify` does, and what it answers."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.management.color import Style

from accord import acting, conf, db
from accord.audit import head_places, proving, renewal, signed_heads
from accord.audit.problems import ABOUT_HEADS
from accord.audit.signed_heads import Head
from accord.audit.verification import Report, verify, verify_tail
from accord.cli.answer import Answer, error_document
from accord.cli.arguments import add_format
from accord.errors import AuditChainBroken, AuditError, ExitCode, UsageError
from accord.words import counted

SCHEMA = "accord.audit/1"
_CHANGED = (
    "Copy the database and the signed heads away before anything else writes; compare them with the newest "
    "backup that verifies."
)
_MOVED = (
    f"{_CHANGED} If you moved the heads, copied the database or restored it, say so: "
    "manage.py audit_verify --new-heads --reason TEXT"
)


@dataclass(frozen=True, kw_only=True)
class AuditOptions:
    """
    What a call asks for.

    Attributes:
        alias: Database of the trail.
        tail: Whether the newest events are enough.
        sign: Whether the head of a trail that is intact is signed.
        reason: Why heads begin anew; empty where they don't.
        prove: Number of the event that is to be proved; None for a check.
        as_json: Whether the answer is a JSON document.
    """

    alias: str
    tail: bool
    sign: bool
    reason: str
    prove: int | None
    as_json: bool

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> AuditOptions:
        """
        Read what the command line gave.

        Raises:
            UsageError: One of `--new-heads` and `--reason` stands alone.
        """
        if options["new_heads"] != bool(options["reason"]):
            raise UsageError(
                "--new-heads and --reason go together.",
                hint="Say in --reason what was moved, copied or restored; the audit trail records it.",
            )
        return cls(
            alias=db.known(options["database"] or conf.load().coordinator),
            tail=options["tail"],
            sign=options["checkpoint"],
            reason=options["reason"],
            prove=options["prove"],
            as_json=options["format"] == "json",
        )


@dataclass(frozen=True, kw_only=True)
class Checked:
    """
    What a check of the trail came to.

    Attributes:
        report: What was found.
        head: What was signed, if anything was.
        renewed: Number of the event by which heads began anew; 0 where they didn't.
        broken: The error, where the trail is not intact.
    """

    report: Report
    head: Head | None
    renewed: int
    broken: AuditChainBroken | None

    def answer(self, style: Style) -> Answer:
        """Return it as an answer of the command."""
        code = self.broken.exit_code if self.broken else ExitCode.DONE
        return Answer(document=self._document(), lines=self._lines(style), code=code)

    def _document(self) -> Mapping[str, object]:
        head = self.head
        signed = {"size": head.size, "hash": head.hash, "signature": head.signature} if head else None
        error = error_document(self.broken) if self.broken else None
        return {
            "schema": SCHEMA,
            **self.report.document(),
            "checkpoint": signed,
            "renewed": self.renewed or None,
            "error": error,
        }

    def _lines(self, style: Style) -> Iterator[str]:
        report = self.report
        if self.renewed:
            yield f"Signed heads begin anew with event {self.renewed}, which records the reason."
        yield _verdict(report, style)
        yield from (f"  {problem.kind}: {problem.text}" for problem in report.problems)
        if report.more:
            yield f"  and {report.more} more."
        if report.last:
            yield _anchor(report)
        if report.before_key:
            without = counted(report.before_key, "event")
            yield f"{without} without a seal, from before the key or before heads began anew."
        if self.head is not None:
            yield f"Signed the head: event {self.head.size}, {self.head.hash}."


def add_audit_arguments(parser: ArgumentParser) -> None:
    """Add the flags."""
    add_format(parser)
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument("--full", action="store_true", help="Check every event. The default.")
    extent.add_argument(
        "--tail", action="store_true", help="Check the newest events only, from a signed head on."
    )
    parser.add_argument(
        "--checkpoint",
        action="store_true",
        help="If it is intact, sign its head into the database and to every place of heads.",
    )
    parser.add_argument(
        "--new-heads",
        action="store_true",
        help="Begin the signed heads anew, after a move, a copy or a restore; needs --reason.",
    )
    parser.add_argument(
        "--reason", default="", help="With --new-heads: why. The database keeps it, the trail its digest."
    )
    parser.add_argument(
        "--prove",
        type=int,
        metavar="SEQ",
        help="Prove that one event is in the trail, for whoever has the public key; with --format json.",
    )
    parser.add_argument("--database", help="Database of the trail. Default: the coordinator.")


def carry_out(asked: AuditOptions) -> Checked:
    """
    Check the trail, and sign its head where that is asked for.

    Raises:
        StoreError: The trail can't be read.
        AuditError: The signed head can't be written.
    """
    renewed = _renew(asked) if asked.reason else 0
    report = verify_tail(using=asked.alias) if asked.tail else verify(using=asked.alias)
    head = _signed(asked.alias) if asked.sign and report.intact else None
    broken = None if report.intact else _broken(asked.alias, report)
    return Checked(report=report, head=head, renewed=renewed, broken=broken)


def proved(seq: int, alias: str) -> Answer:
    """
    Prove that an event is in the trail.

    Raises:
        UsageError, AuditError, StoreError: As :func:`accord.audit.proving.prove`.
    """
    proof = proving.prove(seq, using=alias)
    lines = [
        f"Event {seq} is in the trail: a signed head covers it, {counted(len(proof.path), 'event')} on.",
        "--format json prints the proof, which anybody can check who has the public key.",
    ]
    return Answer(document=proof.document(), lines=lines, code=ExitCode.DONE)


def _renew(asked: AuditOptions) -> int:
    with db.reading("The audit trail", asked.alias):
        actor = acting.of_account(acting.key_of_signed_in(), using=asked.alias)
        return renewal.renew(asked.reason, actor=actor, using=asked.alias)


def _signed(alias: str) -> Head | None:
    try:
        return signed_heads.take(alias)
    except OSError as exc:
        raise AuditError(
            f"A place of signed heads can't be written: {exc.strerror}.",
            hint=head_places.MOVE,
        ) from exc


def _broken(alias: str, report: Report) -> AuditChainBroken:
    problems = counted(len(report.problems) + report.more, "problem")
    return AuditChainBroken(
        f"The audit trail in “{alias}” is not what was written: {problems}.",
        hint=_MOVED if {found.kind for found in report.problems} <= ABOUT_HEADS else _CHANGED,
    )


def _verdict(report: Report, style: Style) -> str:
    if not report.intact:
        return style.ERROR("The audit trail is NOT intact.")
    if not report.last:
        return "The audit trail is intact: nothing was recorded yet."
    extent = f"events {report.first} to {report.last}, {report.seconds:.1f} s"
    return style.SUCCESS(f"The audit trail is intact: {extent}.")


def _anchor(report: Report) -> str:
    if not report.anchored:
        return "No signed head outside of the database vouches for it."
    return f"Signed heads outside of the database vouch for it up to event {report.anchored}."
