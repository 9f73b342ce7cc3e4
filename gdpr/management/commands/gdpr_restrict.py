"""Restrictions of processing: put one on record, see them, lift one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.management.base import CommandParser

from accord.command import AnsweringCommand
from accord.errors import ExitCode
from gdpr.cli.restrict import RestrictOptions, add_restrict_arguments, carry_out


class Command(AnsweringCommand):
    """`manage.py gdpr_restrict`."""

    help = (
        "Puts on record that a person's data are kept and not used (Art. 18), lists such restrictions, or "
        "lifts one. An erasure that the person didn't demand afterwards waits meanwhile."
    )
    examples: ClassVar[Mapping[str, str]] = {
        'add KEY --reason "18(1)(a)" --as USERNAME': "restrict the processing of a person's data",
        "list": "the restrictions that count",
        "lift REFERENCE --told 2026-11-27 --as USERNAME": "end one, after the person was told",
    }

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the flags."""
        add_restrict_arguments(parser)

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Do it, and show the restrictions that it is about."""
        asked = RestrictOptions.read(options)
        return self.say(carry_out(asked), as_json=asked.as_json)
