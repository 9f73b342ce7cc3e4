"""`manage.py accord_environment`: which environment each store belongs to, and changing that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.management.base import CommandParser

from accord.command import AnsweringCommand
from accord.errors import ExitCode
from migrator.cli.environments import add_environment_arguments, carry_out


class Command(AnsweringCommand):
    """Show it, or change it."""

    help = (
        "Tells which environment each store says that it belongs to. Runs and erasures are refused where it "
        "is another than yours; a copy is made to belong to yours with “change”, which is put on record."
    )
    examples: ClassVar[Mapping[str, str]] = {
        "show": "where each store belongs, by its own word",
        'change --reason "copied from production"': "a copy belongs to this environment from now on",
    }

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the acts and their flags."""
        add_environment_arguments(parser)

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Show it, or change it."""
        return self.say(carry_out(options), as_json=options["format"] == "json")
