"""Requests for correction, and objections: file one, see them, answer one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.management.base import CommandParser

from accord.command import AnsweringCommand
from accord.errors import ExitCode
from gdpr.cli.rights import RightsOptions, add_rights_arguments, carry_out


class Command(AnsweringCommand):
    """`manage.py gdpr_rights`."""

    help = (
        "Puts a request for correction (Art. 16) or an objection (Art. 21) on record, lists those that are "
        "open, and notes what became of them. What is corrected or stopped is the project's own act."
    )
    examples: ClassVar[Mapping[str, str]] = {
        'file KEY --kind correction --note "Born in 1984" --as USERNAME': "put a request on record",
        "list": "those that are open, by their deadline",
        'answer REFERENCE --note "Corrected" --as USERNAME': "note what was done",
        'refuse REFERENCE --ground "12(5)" --note "Why" --as USERNAME': "refuse one, on a ground",
    }

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the flags."""
        add_rights_arguments(parser)

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Do it, and show the requests that it is about."""
        asked = RightsOptions.read(options)
        return self.say(carry_out(asked), as_json=asked.as_json)
