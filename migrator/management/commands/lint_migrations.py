"""`manage.py lint_migrations`: what is dangerous or careless in migrations, by looking at their files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.management.base import CommandParser

from accord.command import AnsweringCommand
from accord.errors import ExitCode
from migrator.cli.linting import add_lint_arguments, carry_out


class Command(AnsweringCommand):
    """Look at files, and tell."""

    help = (
        "Looks at the migrations of every store for what would lock, break or lose something, and names the "
        "safe way. No server is asked, unless you say so."
    )
    examples: ClassVar[Mapping[str, str]] = {
        "": "every migration that the project wrote",
        "--since main": "what this branch changes",
        "--since main --live": "the same, with the sizes of the tables that stand",
        "--since main --format github": "the same, as annotations of a pull request",
    }

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the flags."""
        add_lint_arguments(parser)

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Look, and write what was found."""
        linted = carry_out(options)
        for line in linted.lines(options["format"], self.style):
            self.stdout.write(line)
        return linted.code
