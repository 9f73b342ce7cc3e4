"""`manage.py gdpr_export`: give a person everything that is kept of them."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from accord.cli.arguments import add_acting, add_noinput
from accord.command import AnsweringCommand
from accord.errors import ExitCode
from accord.proof import Credentials
from gdpr.cli import whom
from gdpr.cli.envelope import add_envelope, envelope
from gdpr.datamap.map import load_data_map
from gdpr.datamap.static import require_sound
from gdpr.export import ExportFormat, Written, gather, put_on_record, write
from gdpr.export_files import require_folder

_OPEN = "It is not encrypted: whoever can read a file of it reads all of it."
_UNSAID = (ExportFormat.JSON, ExportFormat.HTML)


class Command(AnsweringCommand):
    """Write an access export; the answer says where it is, never what is in it."""

    help = (
        "Writes everything that is kept of a person into an encrypted file: as JSON, as tables, or as a page "
        "for the person, with purposes, recipients and retention."
    )
    examples: ClassVar[Mapping[str, str]] = {
        "KEY --by email --output exports --recipient AGE_KEY --as USERNAME": "write what is held of a person",
        "KEY --portable --format csv --output exports": "what a person may take along, as tables",
    }

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "subject", metavar="SUBJECT", help="A key of the person; - reads it from standard input."
        )
        whom.add_whom(parser)
        parser.add_argument(
            "--output", required=True, metavar="DIR", help="Folder for the file; it is made if needed."
        )
        parser.add_argument(
            "--format",
            action="append",
            choices=[form.value for form in ExportFormat],
            dest="formats",
            help="How to write it; may be repeated. csv: a ZIP of tables. Default: json and html.",
        )
        parser.add_argument(
            "--portable",
            action="store_true",
            help="Only what the person provided, on consent or a contract (Art. 20), as the data map says.",
        )
        add_envelope(parser)
        add_acting(parser)
        add_noinput(parser)

    def answer(self, options: dict[str, Any]) -> ExitCode:
        data_map = load_data_map()
        require_sound(data_map)
        person = Credentials.read(options).account()
        chosen = envelope(options)
        keys = whom.resolve(whom.key(options["subject"]), options["by"], options["choose"])
        content = gather(data_map, keys, by=person, portable=options["portable"])
        forms = [ExportFormat(form) for form in options["formats"] or _UNSAID]
        folder = Path(options["output"])
        require_folder(folder)
        put_on_record(content, by=person)
        for form in dict.fromkeys(forms):
            self._say(write(content, folder, form, chosen))
        self._warn(content["without_basis"])
        if chosen is None:
            self.stderr.write(_OPEN, self.style.WARNING)
        return ExitCode.DONE

    def _warn(self, entries: Sequence[str]) -> None:
        """Tell what was left out because nobody has said on what basis it is kept."""
        if entries:
            text = f"Left out, because the data map names no lawful basis of them: {', '.join(entries)}."
            self.stderr.write(text, self.style.WARNING)

    def _say(self, written: Written) -> None:
        self.stdout.write(str(written.path))
        self.stderr.write(f"{written.rows} rows of {written.entries} places.", lambda text: text)
