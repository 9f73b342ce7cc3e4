"""`manage.py audit_verify`: tell whether the audit trail is what was written."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from accord import conf
from accord.audit import signed_heads
from accord.audit.signed_heads import Head
from accord.audit.verification import Report, verify, verify_tail
from accord.command import AnsweringCommand, error_document
from accord.errors import AuditChainBroken, AuditError, ExitCode
from accord.words import counted

SCHEMA = "accord.audit/1"


class Command(AnsweringCommand):
    """Check the audit trail; 0 when it is intact, 6 when it is not."""

    help = "Checks the audit trail against its hashes and signed heads. Exit code 0: intact, 6: not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--format", choices=("text", "json"), default="text", help="How to answer.")
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

    def answer(self, options: dict[str, Any]) -> ExitCode:
        alias = options["database"] or conf.load().coordinator
        report = verify_tail(using=alias) if options["tail"] else verify(using=alias)
        head = _signed(alias) if options["checkpoint"] and report.intact else None
        broken = None if report.intact else _broken(alias, report)
        if options["format"] == "json":
            self.stdout.write(json.dumps(_document(report, head, broken), indent=2))
            return ExitCode.DONE if broken is None else broken.exit_code
        self._say(report, head)
        if broken is not None:
            # On standard error as well: cron mails that where the report goes to /dev/null.
            raise broken
        return ExitCode.DONE

    def _say(self, report: Report, head: Head | None) -> None:
        if not report.intact:
            self.stdout.write(self.style.ERROR("The audit trail is NOT intact."))
        elif not report.last:
            self.stdout.write("The audit trail is intact: nothing was recorded yet.")
        else:
            text = f"The audit trail is intact: events {report.first} to {report.last}"
            self.stdout.write(self.style.SUCCESS(f"{text}, {report.seconds:.1f} s."))
        for problem in report.problems:
            self.stdout.write(f"  {problem.kind}: {problem.text}")
        if report.more:
            self.stdout.write(f"  and {report.more} more.")
        if report.last:
            self.stdout.write(_anchor(report))
        if head is not None:
            self.stdout.write(f"Signed the head: event {head.size}, {head.hash}.")


def _anchor(report: Report) -> str:
    if not report.anchored:
        return "No signed head outside of the database vouches for it."
    return f"Signed heads outside of the database vouch for it up to event {report.anchored}."


def _signed(alias: str) -> Head | None:
    try:
        return signed_heads.take(alias)
    except OSError as exc:
        raise AuditError(
            f"The file of signed heads can't be written: {exc.strerror}.",
            hint="Let ACCORD['AUDIT_CHECKPOINTS'] name a file that this user may write.",
        ) from exc


def _broken(alias: str, report: Report) -> AuditChainBroken:
    problems = counted(len(report.problems) + report.more, "problem")
    return AuditChainBroken(
        f"The audit trail in “{alias}” is not what was written: {problems}.",
        hint="Copy the database and the file of signed heads away before anything else writes; compare them "
        "with the newest backup that verifies.",
    )


def _document(report: Report, head: Head | None, broken: AuditChainBroken | None) -> dict[str, object]:
    signed = {"size": head.size, "hash": head.hash, "signature": head.signature} if head else None
    error = error_document(broken) if broken else None
    return {"schema": SCHEMA, **report.document(), "checkpoint": signed, "error": error}
