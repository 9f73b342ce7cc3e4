"""Let go whatever has run out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.management.base import CommandParser

from accord.command import AnsweringCommand
from accord.errors import ExitCode
from accord.stopping import stop_on_signal
from gdpr.cli.retention import RetentionOptions, add_retention_arguments, carry_out


class Command(AnsweringCommand):
    """`manage.py gdpr_retention`."""

    help = (
        "Lets go what has run out: rows and documents whose entry has a term, and what was kept of erased "
        "people until a day that has passed. Legal holds stay. For cron, once a day; safe to start twice "
        "and to start again."
    )
    examples: ClassVar[Mapping[str, str]] = {
        "--dry-run": "what has run out, and nothing is changed",
        "": "let it go",
        "--entry plays --limit 1000": "no more than so many rows of one entry",
        "--approve REFERENCE --as USERNAME": "a second person lets a plan go, where the policy asks for one",
        "--reject REFERENCE --reason TEXT --as USERNAME": "or doesn't",
        "--yes --as USERNAME": "however much it is: a person has looked, and says yes",
    }

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the flags."""
        add_retention_arguments(parser)

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Tell, or let go."""
        asked = RetentionOptions.read(options)
        with stop_on_signal() as stop:
            found = carry_out(asked, stop)
        return self.say(found, as_json=asked.as_json)
