"""Try a restore: on servers of its own, never on those of the project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.management.base import CommandParser

from accord.command import AnsweringCommand
from accord.errors import ExitCode
from gdpr.cli.drill import DrillOptions, add_drill_arguments, carry_out, line
from gdpr.drill.drill import Stage


class Command(AnsweringCommand):
    """`manage.py gdpr_drill`."""

    help = (
        "Tries a restore with your data map, on servers that it starts and throws away: plants people, backs "
        "up, erases, restores, and makes sure that this is noticed and that nobody stays. "
        "Your own stores are not opened."
    )
    examples: ClassVar[Mapping[str, str]] = {
        "": "each store alone, one after the other",
        "--store mongodb": "this store alone",
        "--store default --store mongodb --together": "two that are restored at once",
        "--planter shop.drill.plant": "with people that a function of yours makes",
    }

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the flags."""
        add_drill_arguments(parser)

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Hold the drill, and say each stage as soon as it is over."""
        asked = DrillOptions.read(options)

        def report(stage: Stage) -> None:
            if not asked.as_json:
                self.stdout.write(line(stage))
                self.stdout.flush()

        return self.say(carry_out(asked, report), as_json=asked.as_json)
