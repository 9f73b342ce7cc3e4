"""`manage.py bulk_export`: the rows of a table into files, with a manifest."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from accord.bulk.exporting import export
from accord.bulk.manifest import Part
from accord.cli.bulk import add_export_arguments, alias_of, export_call, exported
from accord.command import AnsweringCommand
from accord.errors import ExitCode
from accord.seam.registry import opened
from accord.stopping import stop_on_signal


class Command(AnsweringCommand):
    """Export in bulk."""

    help = (
        "Writes the rows of a table, as they are at one moment, into files with a manifest: how many, of "
        "which columns, with which SHA-256. What the data map calls personal is left out."
    )
    examples: ClassVar[Mapping[str, str]] = {
        "streaming.Track --output tracks": "all rows of a model, as CSV",
        "streaming.Track --columns id,title --compress gzip --output tracks": "two columns, compressed",
        "streaming.Listener --personal --as USERNAME --output listeners": "with personal columns",
    }

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        add_export_arguments(parser)

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Export."""
        call, output = export_call(options), Path(options["output"])
        alias = alias_of(options["store"], call.name)
        with opened() as stores, stop_on_signal() as stop:
            manifest = export(stores[alias], call, output, told=self._told, stop=stop)
        return self.say(exported(manifest, output), as_json=options["format"] == "json")

    def _told(self, part: Part) -> None:
        self.stderr.write(f"{part.file}: {part.rows:,} rows", lambda text: text)
