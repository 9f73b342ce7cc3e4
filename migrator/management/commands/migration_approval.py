"""Ask for, give and refuse approvals of plans; write and bring attestations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.management.base import CommandParser

from accord.command import AnsweringCommand
from accord.errors import ExitCode
from accord.seam.registry import opened
from migrator.cli.approval_options import ApprovalOptions, add_approval_arguments
from migrator.cli.approving import Approving
from migrator.engine.api import Migrations


class Command(AnsweringCommand):
    """`manage.py migration_approval`."""

    help = (
        "Asks another person to approve a plan, decides about such requests, and carries attestations "
        "from the environment that goes first to the one that follows."
    )
    examples: ClassVar[Mapping[str, str]] = {
        "request --as USERNAME --reason TEXT": "ask for the approval of what migrate_all would do",
        "list": "what waits, and what was decided",
        "approve REFERENCE --as USERNAME --reason TEXT": "decide, as another person",
        "review REFERENCE --as USERNAME --reason TEXT": "look at what ran without approval",
    }

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the acts, with the flags of each."""
        add_approval_arguments(parser)

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Do what is asked for."""
        asked = ApprovalOptions.read(options)
        with opened() as stores:
            migrations = Migrations(stores)
            approving = Approving(
                asked=asked,
                migrations=migrations,
                gate=migrations.gate(),
                stderr=self.stderr,
                style=self.style,
            )
            return self.say(approving.carry_out(), as_json=asked.as_json)
