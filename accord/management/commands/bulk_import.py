"""`manage.py bulk_import`: what `bulk_export` wrote, or a file of somebody else's, into a table."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from accord.bulk import manifest
from accord.bulk.importing import bring_in
from accord.cli.bulk import add_import_arguments, alias_of, import_call, imported
from accord.command import AnsweringCommand
from accord.errors import ExitCode
from accord.seam.bulk import Position
from accord.seam.registry import opened
from accord.stopping import stop_on_signal


class Command(AnsweringCommand):
    """Import in bulk."""

    help = (
        "Writes the rows of files into a table, batch by batch: each is there with the position behind it, "
        "or not at all, so that a run that was ended goes on. Rows that are refused go into a file with "
        "their line and the reason; those of people who were erased are left out."
    )
    examples: ClassVar[Mapping[str, str]] = {
        "tracks": "what bulk_export wrote, into the table that it comes from",
        "tracks --mode upsert": "the same; rows that are there get the values of the files",
        "venues.csv --into streaming.Venue": "a file that somebody else made",
    }

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        add_import_arguments(parser)

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Import."""
        call, path = import_call(options), Path(options["path"])
        recorded = "" if path.is_file() else manifest.read(path).store
        alias = alias_of(options["store"], call.name, recorded)
        with opened() as stores, stop_on_signal() as stop:
            done = bring_in(stores[alias], path, call, told=self._told, stop=stop)
        return self.say(imported(done), as_json=options["format"] == "json")

    def _told(self, position: Position) -> None:
        self.stderr.write(f"{position.rows:,} rows", lambda text: text)
