"""Erase one person from every store: file, plan, have approved, carry out, prove."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.management.base import CommandParser

from accord.command import AnsweringCommand
from accord.errors import ExitCode
from accord.stopping import stop_on_signal
from gdpr.cli.conversation import Conversation
from gdpr.cli.erase import Erase
from gdpr.cli.erase_answers import HowFar
from gdpr.cli.erase_options import EraseOptions, add_erase_arguments


class Command(AnsweringCommand):
    """`manage.py gdpr_erase`."""

    help = (
        "Erases a person from every store. The first call files a request and shows what would happen; "
        "another person approves it (--request REFERENCE --approve); the next call carries it out, reads "
        "every store again and writes a signed receipt. Safe to start twice and to start again."
    )
    examples: ClassVar[Mapping[str, str]] = {
        "KEY --dry-run": "what an erasure would find, and nothing is filed",
        "KEY --by email --as USERNAME": "file a request",
        "--request REFERENCE --approve --as USERNAME --reason TEXT": "approve it, as another person",
        "--request REFERENCE --receipt receipt.html": "the receipt of what was done",
    }

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the flags."""
        add_erase_arguments(parser)

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Take a person or a request as far as it can go."""
        asked = EraseOptions.read(options)
        conversation = Conversation(self.stderr, interactive=asked.interactive, quiet=asked.as_json)
        with stop_on_signal() as stop:
            found = Erase(asked, conversation, stop).carry_out()
        self.stdout.write(found.text(as_json=asked.as_json))
        if isinstance(found, HowFar):
            self._sum_up(found, asked, options)
        return found.code()

    def _sum_up(self, found: HowFar, asked: EraseOptions, options: dict[str, Any]) -> None:
        if found.fault is not None and not asked.as_json:
            self.say_error(found.fault, options)
        if asked.receipt is not None and not found.write_receipt(asked.receipt):
            self.stderr.write("No receipt was written: the erasure is not complete.")
