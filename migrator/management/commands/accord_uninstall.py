"""`manage.py accord_uninstall`: take out of every store what Accord keeps there for itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.management.base import CommandParser

from accord.command import AnsweringCommand
from accord.errors import ExitCode
from migrator.cli.uninstalling import add_uninstall_arguments, carry_out


class Command(AnsweringCommand):
    """Show what goes, with its numbers; take it out where that is said and confirmed."""

    help = (
        "Shows what Accord keeps in every store for itself, and takes it out with --remove. What migrations "
        "and revisions made stays; evidence stays unless --with-evidence is given."
    )
    examples: ClassVar[Mapping[str, str]] = {
        "": "what the suite left where, and nothing is changed",
        "--remove --noinput": "take it out, evidence excepted",
    }

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the flags."""
        add_uninstall_arguments(parser)

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Show it, or take it out."""
        return self.say(carry_out(options), as_json=options["format"] == "json")
