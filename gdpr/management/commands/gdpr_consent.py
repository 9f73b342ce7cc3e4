"""Consents of one person: what stands, and receipts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.management.base import CommandParser

from accord.command import AnsweringCommand
from accord.errors import ExitCode
from gdpr.cli.consent import ConsentOptions, add_consent_arguments, carry_out


class Command(AnsweringCommand):
    """`manage.py gdpr_consent`."""

    help = (
        "Shows what a person consented to, and whether it counts now; or prints a signed receipt of one "
        "consent, in the shape of ISO/IEC TS 27560, for the person to keep. Records nothing."
    )
    examples: ClassVar[Mapping[str, str]] = {
        "KEY --by email": "what the person consented to",
        "KEY --receipt PURPOSE": "the receipt of one consent",
    }

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the flags."""
        add_consent_arguments(parser)

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Show it."""
        asked = ConsentOptions.read(options)
        return self.say(carry_out(asked), as_json=asked.as_json)
