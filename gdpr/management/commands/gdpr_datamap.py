"""`manage.py gdpr_datamap`: look at the data map, hold it against the live stores, freeze it."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any, ClassVar

from accord.command import AnsweringCommand
from accord.errors import ExitCode
from gdpr.cli.datamap import DataMapOptions, add_data_map_arguments, carry_out


class Command(AnsweringCommand):
    """Show the data map, check it, or freeze it; 0 when an erasure would miss nothing, 6 when it would."""

    help = (
        "Shows where personal data are kept (show), compares that with the live schemas of all stores "
        "(check), suggests entries for what has none (suggest), or writes the fields that there are into "
        "the lock file, once these were reviewed (freeze). Exit code of check: 0 nothing is missing, 6 "
        "something is wrong."
    )
    examples: ClassVar[Mapping[str, str]] = {
        "show": "where personal data are kept",
        "check": "compare that with the live stores",
        "suggest --sample": "entries for what has none, guessed from names, types and a few values",
        "freeze": "write down which fields were reviewed",
    }

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        add_data_map_arguments(parser)

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Show the map, or what is wrong with it."""
        asked = DataMapOptions.read(options)
        return self.say(carry_out(asked, self.style), as_json=asked.as_json)
