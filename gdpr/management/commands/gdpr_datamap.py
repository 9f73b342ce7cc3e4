"""`manage.py gdpr_datamap`: look at the data map, and hold it against the live stores."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any, ClassVar

from accord.command import AnsweringCommand
from accord.errors import ExitCode
from gdpr.cli.datamap import DataMapOptions, add_data_map_arguments, carry_out


class Command(AnsweringCommand):
    """Show the data map, or check it; 0 when an erasure would miss nothing, 6 when it would."""

    help = (
        "Shows where personal data are kept (show), or compares that with the live schemas of all "
        "stores (check). Exit code 0: nothing is missing, 6: something is wrong."
    )
    examples: ClassVar[Mapping[str, str]] = {
        "show": "where personal data are kept",
        "check": "compare that with the live stores",
    }

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        add_data_map_arguments(parser)

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Show the map, or what is wrong with it."""
        asked = DataMapOptions.read(options)
        return self.say(carry_out(asked, self.style), as_json=asked.as_json)
