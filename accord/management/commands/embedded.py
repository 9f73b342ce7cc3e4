"""`manage.py embedded`: start, stop, look at and reset the development servers of a checkout."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.management.base import CommandParser

from accord.cli.embedded_servers import EmbeddedOptions, add_embedded_arguments, carry_out
from accord.command import AnsweringCommand
from accord.errors import ExitCode


class Command(AnsweringCommand):
    """Manage the embedded servers."""

    help = "Starts, stops, shows or resets the embedded development servers of this checkout."
    examples: ClassVar[Mapping[str, str]] = {
        "start": "PostgreSQL, MongoDB and OpenSearch for this checkout",
        "status": "which run, and on which ports",
        "stop": "end them; what they hold stays",
    }

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        add_embedded_arguments(parser)

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Do it, and show how the servers are."""
        asked = EmbeddedOptions.read(options)
        found = carry_out(asked, options.get("stderr") or sys.stderr)
        return self.say(found, as_json=asked.as_json)
