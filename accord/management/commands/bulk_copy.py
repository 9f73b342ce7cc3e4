"""`manage.py bulk_copy`: a collection or an index filled from another store, as an app declares."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any, ClassVar

from accord.cli.batches import telling
from accord.cli.copying import add_copy_arguments, carry_out
from accord.command import AnsweringCommand
from accord.errors import ExitCode
from accord.stopping import stop_on_signal


class Command(AnsweringCommand):
    """Copy from store to store."""

    help = (
        "Copies the rows of a table into a collection or an index, as the copies.py of an app declares: in "
        "batches that go on where they were ended, without people who were erased. Then it tells what is "
        "missing, and what is there of no row."
    )
    examples: ClassVar[Mapping[str, str]] = {
        "": "the copies that are declared",
        "venues": "one of them; killed, the same command goes on",
        "venues --jobs 4": "the same in four processes",
        "venues --delete": "also delete what is there of no row any more",
    }

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        add_copy_arguments(parser)

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Copy."""
        with stop_on_signal() as stop:
            found = carry_out(options, telling(self.stderr.write), stop)
        return self.say(found, as_json=options["format"] == "json")
