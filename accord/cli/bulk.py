"""What `bulk_export` and `bulk_import` take, which store they mean, and what they answer."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import router

from accord import acting, conf
from accord.acting import Account
from accord.bulk.compression import Compression
from accord.bulk.exporting import ExportCall
from accord.bulk.importing import ImportCall, Imported
from accord.bulk.manifest import Manifest
from accord.cli.answer import Answer
from accord.cli.arguments import add_acting, add_format, add_noinput
from accord.errors import ExitCode, StoreError, UsageError
from accord.proof import Credentials
from accord.seam.bulk import FileFormat, Mode


def add_export_arguments(parser: ArgumentParser) -> None:
    """Add the flags of `bulk_export`."""
    parser.add_argument(
        "name", metavar="NAME", help="A model as app_label.Model, a table; a collection or index of --store."
    )
    parser.add_argument(
        "--output", required=True, metavar="DIR", help="Folder for the files; it is made if needed."
    )
    parser.add_argument(
        "--store", default="", metavar="ALIAS", help="From where; that of the model unless given."
    )
    parser.add_argument(
        "--columns", default="", metavar="NAMES", help="Only these, separated by commas, in this order."
    )
    parser.add_argument(
        "--query",
        default="",
        metavar="TEXT",
        help="Only these: what is behind WHERE, a filter, a query.",
    )
    parser.add_argument(
        "--files",
        choices=tuple(map(str, FileFormat)),
        default=None,
        help="Format (default: the store's own).",
    )
    parser.add_argument(
        "--compress",
        choices=tuple(map(str, Compression)),
        default="none",
        help="Compression (default: none).",
    )
    parser.add_argument(
        "--part-rows",
        type=_above_zero,
        default=1_000_000,
        metavar="N",
        help="Rows a file, about (1,000,000).",
    )
    parser.add_argument(
        "--personal",
        action="store_true",
        help="With what the data map calls personal, which is left out otherwise; takes a permission.",
    )
    parser.add_argument(
        "--resume", action="store_true", help="Keep the parts of an export that was ended; the rest is later."
    )
    parser.add_argument("--anew", action="store_true", help="Begin an export again that was ended.")
    _add_rest(parser)


def add_import_arguments(parser: ArgumentParser) -> None:
    """Add the flags of `bulk_import`."""
    parser.add_argument("path", metavar="PATH", help="Folder of an export; or a file, with --into.")
    parser.add_argument(
        "--into",
        default="",
        metavar="NAME",
        help="A model, table, collection or index; as exported unless given.",
    )
    parser.add_argument(
        "--store", default="", metavar="ALIAS", help="Where to; that of the model unless given."
    )
    parser.add_argument(
        "--mode",
        choices=tuple(map(str, Mode)),
        default=str(Mode.INSERT),
        help="Where a key is there: insert refuses the row, upsert writes over it, merge keeps what the file "
        "has as NULL (default: insert).",
    )
    parser.add_argument(
        "--key", default="", metavar="NAMES", help="Columns that tell rows apart (default: the primary key)."
    )
    parser.add_argument(
        "--dead-letters", default="", metavar="FILE", help="For what is refused (default: beside the files)."
    )
    parser.add_argument(
        "--dead-letters-at-most", type=int, default=1000, metavar="N", help="Stop behind so many (1000)."
    )
    parser.add_argument("--again", action="store_true", help="Import what was imported before once more.")
    parser.add_argument(
        "--unfiltered", action="store_true", help="Take rows in of which nobody can tell whose they are."
    )
    _add_rest(parser)


def _add_rest(parser: ArgumentParser) -> None:
    add_acting(parser)
    add_noinput(parser)
    add_format(parser)


def export_call(options: Mapping[str, Any]) -> ExportCall:
    """Read what a call of `bulk_export` asks for."""
    return ExportCall(
        name=options["name"],
        columns=_names(options["columns"]),
        query=options["query"],
        form=FileFormat(options["files"]) if options["files"] else None,
        compression=Compression(options["compress"]),
        rows=options["part_rows"],
        personal=options["personal"],
        resume=options["resume"],
        anew=options["anew"],
        by=account_of(options, must=options["personal"]),
    )


def import_call(options: Mapping[str, Any]) -> ImportCall:
    """Read what a call of `bulk_import` asks for."""
    return ImportCall(
        name=options["into"],
        mode=Mode(options["mode"]),
        key=_names(options["key"]),
        dead_letters=Path(options["dead_letters"]) if options["dead_letters"] else None,
        most_dead=options["dead_letters_at_most"],
        again=options["again"],
        unfiltered=options["unfiltered"],
        by=account_of(options, must=False),
    )


def alias_of(store: str, name: str, recorded: str = "") -> str:
    """
    Return which store is meant: the one that was named, that of a model, or the one of the manifest.

    Raises:
        UsageError: None of these says it.
    """
    label, dot, model = name.partition(".")
    if not store and dot:
        try:
            return router.db_for_write(apps.get_model(label, model))
        except LookupError:
            pass
    found = store or recorded or (conf.load().coordinator if name else "")
    if not found:
        raise UsageError("Where to isn't said.", hint="Name a model or table with --into.")
    return found


def exported(manifest: Manifest, output: Path) -> Answer:
    """Tell what was exported."""
    lines = [str(output), f"{manifest.rows:,} rows of {manifest.name} in {len(manifest.parts)} files."]
    if manifest.masked:
        lines.append(f"Left out, because the data map calls it personal: {', '.join(manifest.masked)}.")
    return Answer(document={**manifest.document(), "digest": manifest.digest}, lines=lines)


def imported(done: Imported) -> Answer:
    """Tell what was imported; dead letters are a failure."""
    position = done.position
    lines = [f"{position.rows:,} rows into {done.target} of “{done.store}”."]
    if done.before:
        lines = [f"All of it was imported before: {position.rows:,} rows. --again imports it once more."]
    if position.erased:
        lines.append(f"{position.erased:,} rows of people who were erased were left out.")
    if position.dead:
        lines.append(f"{position.dead:,} rows were refused: {done.dead_letters}")
    return Answer(
        document={
            "schema": "accord.bulk_import/1",
            "store": done.store,
            "target": done.target,
            "rows": position.rows,
            "erased": position.erased,
            "dead": position.dead,
            "dead_letters": str(done.dead_letters) if position.dead else None,
            "before": done.before,
        },
        lines=lines,
        code=ExitCode.FAILED if position.dead and not done.before else ExitCode.DONE,
    )


def account_of(options: Mapping[str, Any], *, must: bool) -> Account | None:
    """
    Return who acts; whoever is signed in to the machine needs no account where nothing personal leaves.

    Args:
        options: What the command line gave.
        must: Whether it has to be an account.
    """
    who = Credentials.read(options)
    if must or who.is_given:
        return who.account()
    try:
        return acting.named(acting.signed_in())
    except (UsageError, StoreError):
        return None


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _above_zero(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise ArgumentTypeError("a whole number above 0")
    return int(text)
