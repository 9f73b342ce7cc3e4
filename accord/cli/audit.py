"""What `audit_verify` does, and what it answers."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.management.color import Style

from accord import conf, db
from accord.audit import signed_heads
from accord.audit.signed_heads import Head
from accord.audit.verification import Report, verify, verify_tail
from accord.cli.answer import Answer, error_document
from accord.cli.arguments import add_format
from accord.errors import AuditChainBroken, AuditError, ExitCode
from accord.words import counted

SCHEMA = "accord.audit/1"


@dataclass(frozen=True, kw_only=True)
class AuditOptions:
    """
    What a call asks for.

    Attributes:
        alias: Database of the trail.
        tail: Whether the newest events are enough.
        sign: Whether the head of a trail that is intact is signed.
        as_json: Whether the answer is a JSON document.
    """

    alias: str
    tail: bool
    sign: bool
    as_json: bool

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> AuditOptions:
        """Read what the command line gave."""
        return cls(
            alias=db.known(options["database"] or conf.load().coordinator),
            tail=options["tail"],
            sign=options["checkpoint"],
            as_json=options["format"] == "json",
        )


@dataclass(frozen=True, kw_only=True)
class Checked:
    """
    What a check of the trail came to.

    Attributes:
        report: What was found.
        head: What was signed, if anything was.
        broken: The error, where the trail is not intact.
    """

    report: Report
    head: Head | None
    broken: AuditChainBroken | None

    def answer(self, style: Style) -> Answer:
        """Return it as an answer of the command."""
        code = self.broken.exit_code if self.broken else ExitCode.DONE
        return Answer(document=self._document(), lines=self._lines(style), code=code)

    def _document(self) -> Mapping[str, object]:
        head = self.head
        signed = {"size": head.size, "hash": head.hash, "signature": head.signature} if head else None
        error = error_document(self.broken) if self.broken else None
        return {"schema": SCHEMA, **self.report.document(), "checkpoint": signed, "error": error}

    def _lines(self, style: Style) -> Iterator[str]:
        report = self.report
        yield _verdict(report, style)
        yield from (f"  {problem.kind}: {problem.text}" for problem in report.problems)
        if report.more:
            yield f"  and {report.more} more."
        if report.last:
            yield _anchor(report)
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
        help="If it is intact, sign its head into the database and the file.",
    )
    parser.add_argument("--database", help="Database of the trail. Default: the coordinator.")


def carry_out(asked: AuditOptions) -> Checked:
    """
    Check the trail, and sign its head where that is asked for.

    Raises:
        StoreError: The trail can't be read.
        AuditError: The signed head can't be written.
    """
    report = verify_tail(using=asked.alias) if asked.tail else verify(using=asked.alias)
    head = _signed(asked.alias) if asked.sign and report.intact else None
    broken = None if report.intact else _broken(asked.alias, report)
    return Checked(report=report, head=head, broken=broken)


def _signed(alias: str) -> Head | None:
    try:
        return signed_heads.take(alias)
    except OSError as exc:
        raise AuditError(
            f"The file of signed heads can't be written: {exc.strerror}.",
            hint=signed_heads.MOVE,
        ) from exc


def _broken(alias: str, report: Report) -> AuditChainBroken:
    problems = counted(len(report.problems) + report.more, "problem")
    return AuditChainBroken(
        f"The audit trail in “{alias}” is not what was written: {problems}.",
        hint="Copy the database and the file of signed heads away before anything else writes; compare them "
        "with the newest backup that verifies.",
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
