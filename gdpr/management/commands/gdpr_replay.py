"""Erase again whom a restore brought back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.management.base import CommandParser

from accord.command import AnsweringCommand
from accord.errors import ExitCode
from accord.stopping import stop_on_signal
from gdpr.cli.replay import ReplayOptions, add_replay_arguments, carry_out


class Command(AnsweringCommand):
    """`manage.py gdpr_replay`."""

    help = (
        "Erases again, in order, whom a restore brought back: by the register of erasures, which lies "
        "outside of the stores. Verified, with receipts. Safe to start twice and to start again."
    )
    examples: ClassVar[Mapping[str, str]] = {
        "--dry-run": "whom a restore brought back, and nothing is changed",
        "": "erase them again",
        "--another-person REFERENCE --as USERNAME": "somebody new has the key: leave them alone",
    }

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the flags."""
        add_replay_arguments(parser)

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Tell, or erase again."""
        asked = ReplayOptions.read(options)
        with stop_on_signal() as stop:
            found = carry_out(asked, stop)
        return self.say(found, as_json=asked.as_json)
