"""`manage.py embedded`: start, stop, look at and reset the development servers of a checkout."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from accord import embedded
from accord.command import PipedCommand, error_document
from accord.embedded.progress import reporter_for
from accord.errors import AccordError, NotConfirmed
from accord.events import Reporter


class Command(PipedCommand):
    """Manage the embedded servers."""

    help = "Starts, stops, shows or resets the embedded development servers of this checkout."
    # Nothing of the project is used, and what the checks would complain about may be what is started here.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument("action", choices=["start", "stop", "status", "reset"], help="What to do.")
        parser.add_argument(
            "stores",
            metavar="STORE",
            nargs="*",
            help=f"Servers to do it to: {', '.join(embedded.SERVERS)}. "
            f"Without any, start takes {', '.join(embedded.DEFAULT)}; the others take every server.",
        )
        parser.add_argument(
            "--noinput", "--no-input", action="store_false", dest="interactive", help="Reset without asking."
        )
        parser.add_argument("--format", choices=["text", "json"], default="text", help="Form of the answer.")

    def handle(self, *args: Any, **options: Any) -> None:
        actions: dict[str, Callable[..., None]] = {
            "start": _start,
            "stop": _stop,
            "status": _look,
            "reset": _reset,
        }
        root, names = _root(), _names(options)
        try:
            embedded.check_names(names)
            if options["action"] == "reset" and options["interactive"]:
                _confirm(names)
            with reporter_for(options.get("stderr") or sys.stderr) as reporter:
                actions[options["action"]](root, names, reporter)
        except AccordError as error:
            self._say_error(error, options)
            raise SystemExit(int(error.exit_code)) from error
        self._answer(embedded.status(root, names), options)

    def _answer(self, states: Sequence[embedded.ServerState], options: dict[str, Any]) -> None:
        if options["format"] == "json":
            document = {"schema": "accord.embedded/1", "servers": [_document(state) for state in states]}
            self.stdout.write(json.dumps(document, indent=2))
            return
        for state in states:
            self.stdout.write(_line(state))

    def _say_error(self, error: AccordError, options: dict[str, Any]) -> None:
        if options.get("traceback"):
            raise error
        if options["format"] == "json":
            self.stdout.write(
                json.dumps({"schema": "accord.error/1", "error": error_document(error)}, indent=2)
            )
            return
        self.stderr.write(str(error))
        if error.hint:
            self.stderr.write(f"  {error.hint}", lambda text: text)


def _root() -> Path:
    return Path(getattr(settings, "BASE_DIR", None) or Path.cwd())


def _names(options: dict[str, Any]) -> list[str]:
    if options["stores"]:
        return list(dict.fromkeys(options["stores"]))
    return list(embedded.DEFAULT if options["action"] == "start" else embedded.SERVERS)


def _start(root: Path, names: Sequence[str], reporter: Reporter) -> None:
    # Nothing in this command uses a store, so a server may move where its port was taken.
    embedded.ensure_running(root, names, reporter, may_move=True)


def _stop(root: Path, names: Sequence[str], reporter: Reporter) -> None:
    embedded.stop(root, names, reporter)


def _look(root: Path, names: Sequence[str], reporter: Reporter) -> None:
    """Do nothing: every action ends with a look."""


def _reset(root: Path, names: Sequence[str], reporter: Reporter) -> None:
    embedded.reset(root, names, reporter)


def _confirm(names: Sequence[str]) -> None:
    try:
        answer = input(f"This deletes all data of the embedded {', '.join(names)}. Type 'yes' to go on: ")
    except EOFError:
        answer = ""
    if answer.strip().lower() != "yes":
        raise NotConfirmed(
            "Nothing was deleted: the question was not answered with yes.",
            hint="Answer yes, or give --noinput where nobody can answer.",
        )


def _document(state: embedded.ServerState) -> dict[str, Any]:
    return {
        "name": state.name,
        "version": state.version,
        "condition": state.condition.value,
        "host": "127.0.0.1",
        "port": state.port,
        "pid": state.pid,
        "data": str(state.data),
        "log": str(state.log),
    }


def _line(state: embedded.ServerState) -> str:
    place = f"127.0.0.1:{state.port}" if state.port else "-"
    process = f"pid {state.pid}" if state.pid else ""
    return f"{state.name:<14} {state.version:<8} {state.condition.value:<9} {place:<16} {process}".rstrip()
