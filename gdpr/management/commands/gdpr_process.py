"""Do what is due for every erasure request: for cron."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from accord.command import AnsweringCommand
from accord.errors import ExitCode
from accord.stopping import stop_on_signal
from gdpr.erasure.processing import Processed, process_due


class Command(AnsweringCommand):
    """`manage.py gdpr_process`."""

    help = (
        "Carries approved erasures out, tries again what waited, verifies a second time what was completed, "
        "and lets approvals and consents expire. For cron, every few minutes; safe beside itself."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the flags."""
        parser.add_argument(
            "--format", choices=("text", "json"), default="text", help="How to answer (default: text)."
        )

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Work, and sum up. Waiting for a person is no failure; waiting for a store is partial."""
        with stop_on_signal() as stop:
            done = process_due(stop=stop)
        code = ExitCode.FAILED if done.failed else ExitCode.PARTIAL if done.waiting else ExitCode.DONE
        if options["format"] == "json":
            document = {"schema": "accord.erasure.process/1", "exit_code": int(code), **asdict(done)}
            self.stdout.write(json.dumps(document, indent=2))
            return code
        for line in _lines(done):
            self.stdout.write(line)
        return code


def _lines(done: Processed) -> Iterator[str]:
    listed = {
        "completed": done.completed,
        "verified again and closed": done.verified,
        "reopened, something had turned up": done.reopened,
        "approval expired": done.expired_approvals,
    }
    reasons = {"waiting": done.waiting, "blocked": done.blocked, "failed": done.failed}
    lines = [f"{reference[:8]}  {word}" for word, found in listed.items() for reference in found]
    lines += [f"{ref[:8]}  {word}: {why}" for word, found in reasons.items() for ref, why in found.items()]
    if done.expired_consents:
        lines.append(f"{done.expired_consents} consents expired")
    yield from lines or ["Nothing is due."]
