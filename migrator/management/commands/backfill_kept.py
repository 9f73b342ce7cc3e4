"""`manage.py backfill_kept`: values of before that backfills keep, and letting go of them in time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.management.base import CommandParser

from accord.command import AnsweringCommand
from accord.errors import ExitCode
from migrator.cli.kept import add_kept_arguments, carry_out


class Command(AnsweringCommand):
    """Show them, or let them go."""

    help = (
        "Tells what values of before the backfills of Django's migrations keep (keep_before), so that they "
        "can be undone, and until when. With --drop those go whose time is over; let cron do that once a day."
    )
    examples: ClassVar[Mapping[str, str]] = {
        "": "what is kept where, and until when",
        "--drop": "let go of what was kept for long enough",
    }

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the flags."""
        add_kept_arguments(parser)

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Show them, or let them go."""
        return self.say(carry_out(options), as_json=options["format"] == "json")
