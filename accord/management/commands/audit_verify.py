"""`manage.py audit_verify`: tell whether the audit trail is what was written."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any, ClassVar

from accord.cli.audit import AuditOptions, add_audit_arguments, carry_out, proved
from accord.command import AnsweringCommand
from accord.errors import ExitCode


class Command(AnsweringCommand):
    """Check the audit trail; 0 when it is intact, 6 when it is not."""

    help = "Checks the audit trail against its hashes and signed heads. Exit code 0: intact, 6: not."
    examples: ClassVar[Mapping[str, str]] = {
        "": "read every event",
        "--tail": "the newest alone, for every few minutes",
        "--full --checkpoint": "every event, and a new signed head: for every night",
        "--prove 812 --format json": "a proof for an auditor who has the public key alone",
        "--new-heads --reason 'moved to another server'": "begin the heads anew, on record",
    }

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        add_audit_arguments(parser)

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Check the trail, and show what was found."""
        asked = AuditOptions.read(options)
        if asked.prove is not None:
            return self.say(proved(asked.prove, asked.alias), as_json=asked.as_json)
        checked = carry_out(asked)
        code = self.say(checked.answer(self.style), as_json=asked.as_json)
        if checked.broken is not None and not asked.as_json:
            # On standard error as well: cron mails that where the report goes to /dev/null.
            raise checked.broken
        return code
