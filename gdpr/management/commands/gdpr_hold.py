"""Legal holds: place one, see them, release one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.management.base import CommandParser

from accord.command import AnsweringCommand
from accord.errors import ExitCode
from gdpr.cli.hold import HoldOptions, add_hold_arguments, carry_out


class Command(AnsweringCommand):
    """`manage.py gdpr_hold`."""

    help = (
        "Places a legal hold on a person's data, lists the holds, or releases one. A hold stops an erasure "
        "after the batch that is under way; another person than the one who placed it releases it."
    )
    examples: ClassVar[Mapping[str, str]] = {
        'place KEY --reason "17(3)(e)" --as USERNAME': "keep the data of a person for a legal claim",
        "list": "the holds that stand",
        "release REFERENCE --as USERNAME": "end one, as another person",
    }

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the flags."""
        add_hold_arguments(parser)

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Do it, and show the holds that it is about."""
        asked = HoldOptions.read(options)
        return self.say(carry_out(asked), as_json=asked.as_json)
