"""`manage.py partition`: tables of models divided into partitions, beside those who write to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.management.base import CommandParser

from accord.command import AnsweringCommand
from accord.errors import ExitCode
from migrator.cli.dividing import add_partition_arguments, carry_out


class Command(AnsweringCommand):
    """Look at them, divide them, keep them up, put them back."""

    help = (
        "Divides the tables of models into partitions of PostgreSQL, as the partitions.py of their apps "
        "declare, while the application goes on reading and writing; keeps partitions up as time goes by."
    )
    examples: ClassVar[Mapping[str, str]] = {
        "plan": "how far each table is, and each statement that would be sent",
        "convert app.Model": "divide its table; killed, the same command goes on",
        "maintain": "make partitions ahead, let old ones go: for cron",
        "revert app.Model": "put the old table back, with what was written since",
        "finish app.Model --yes-drop": "drop the old table",
    }

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the acts and their flags."""
        add_partition_arguments(parser)

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Do what is asked for."""
        return self.say(carry_out(options), as_json=options["format"] == "json")
