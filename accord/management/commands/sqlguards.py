"""`manage.py sqlguards`: print the SQL that puts back the triggers and checks which protect evidence."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from django.db import connections

from accord import conf, db, guards
from accord.command import AnsweringCommand
from accord.errors import ExitCode


class Command(AnsweringCommand):
    """Print the SQL, and change nothing: who owns the tables runs it."""

    help = (
        "Prints the SQL that puts back the triggers and check constraints which protect the audit trail, "
        "erasures and approvals, where one is gone, off or changed. Pipe it into dbshell, as the owner of "
        "the tables."
    )
    examples: ClassVar[Mapping[str, str]] = {
        "": "the SQL that brings back what guards the evidence",
        "--database default": "of another database",
    }

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--database", default="", help="Where they stand. Default: the coordinator.")

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Print the statements; none where everything stands."""
        alias = db.known(options["database"] or conf.load().coordinator)
        with db.reading("The catalogue of triggers", alias):
            statements = list(_statements(alias))
        if statements:
            self.stdout.write("\n".join(f"{one.strip()};" for one in ("BEGIN", *statements, "COMMIT")))
        else:
            self.stderr.write("Every trigger and every check stands.", lambda text: text)
        return ExitCode.DONE


def _statements(alias: str) -> Iterator[str]:
    connection = connections[alias]
    for wanted in guards.declared().values():
        # Without its tables an app is not migrated yet; its migration installs all of this.
        if wanted.absent_tables(connection):
            continue
        if wanted.missing(connection):
            yield from wanted.restore
        yield from wanted.restore_checks(connection)
