"""Do what is due for every erasure request: for cron."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, ClassVar

from django.core.management.base import CommandParser

from accord.cli.answer import Answer
from accord.cli.arguments import add_acting, add_format, add_noinput
from accord.command import AnsweringCommand
from accord.errors import ExitCode
from accord.proof import Credentials
from accord.stopping import stop_on_signal
from gdpr.processing import Processed, process_due


class Command(AnsweringCommand):
    """`manage.py gdpr_process`."""

    help = (
        "Carries approved erasures out, tries again what waited, verifies a second time what was completed, "
        "tells recipients, and lets approvals, consents and exports expire. For cron, every few minutes; "
        "safe beside itself."
    )
    examples: ClassVar[Mapping[str, str]] = {
        "": "carry on with every request, once",
        "--as USERNAME": "the same, as an account that the audit trail names",
    }

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the flags."""
        add_acting(parser, unless="the suite itself")
        add_noinput(parser)
        add_format(parser)

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Work, and sum up. Waiting for a person is no failure; waiting for a store is partial."""
        who = Credentials.read(options)
        person = who.account() if who.is_given else None
        with stop_on_signal() as stop:
            done = process_due(by=person, stop=stop)
        partial = done.waiting or done.register or done.uninformed
        code = ExitCode.FAILED if done.failed else ExitCode.PARTIAL if partial else ExitCode.DONE
        document = {"schema": "accord.erasure.process/1", "exit_code": int(code), **asdict(done)}
        answer = Answer(document=document, lines=_lines(done), code=code)
        return self.say(answer, as_json=options["format"] == "json")


def _lines(done: Processed) -> Iterator[str]:
    listed = {
        "completed": done.completed,
        "verified again and closed": done.verified,
        "reopened, something had turned up": done.reopened,
        "approval expired": done.expired_approvals,
        "recipient told": done.informed,
    }
    reasons = {"waiting": done.waiting, "blocked": done.blocked, "failed": done.failed}
    reasons["recipient not told"] = done.uninformed
    lines = [f"{reference[:8]}  {word}" for word, found in listed.items() for reference in found]
    lines += [f"{ref[:8]}  {word}: {why}" for word, found in reasons.items() for ref, why in found.items()]
    if done.expired_consents:
        lines.append(f"{done.expired_consents} consents expired")
    if done.expired_exports:
        lines.append(f"{done.expired_exports} exports deleted")
    if done.register:
        lines.append(f"The register of erasures can't be kept: {done.register}")
    if done.destroyed:
        lines.append(f"{done.destroyed} entries of the register lost what led to a person")
    if done.unscrubbed:
        lines.append(f"not every store was scrubbed: {done.unscrubbed}")
    yield from lines or ["Nothing is due."]
