"""Letters to people: that more time is needed, why not, that it is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.management.base import CommandParser

from accord.command import AnsweringCommand
from accord.errors import ExitCode
from gdpr.cli.letter import LetterOptions, add_letter_arguments, carry_out


class Command(AnsweringCommand):
    """`manage.py gdpr_letter`."""

    help = (
        "Writes a letter to a person in their language: an extension, a refusal, a completion, or the end of "
        "a restriction. Neither text nor address is kept; the audit trail has that it was made, and sent."
    )
    examples: ClassVar[Mapping[str, str]] = {
        "REFERENCE completion --language fr --as USERNAME": "show a letter",
        "REFERENCE refusal --to - --as USERNAME": "send it; the address is read from standard input",
    }

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the flags."""
        add_letter_arguments(parser)

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Write it."""
        asked = LetterOptions.read(options)
        return self.say(carry_out(asked), as_json=asked.as_json)
