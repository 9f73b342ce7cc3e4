"""What every command of the suite has in common: exit codes, and errors in the format that was asked for."""

from __future__ import annotations

import gc
import json
import os
import select
import sys
from collections.abc import Mapping
from typing import Any, ClassVar, TextIO

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandParser, DjangoHelpFormatter, OutputWrapper

from accord import __version__, db
from accord.checks import refuse_missing_apps
from accord.cli.answer import Answer, error_document
from accord.cli.encodable import make_encodable
from accord.cli.printable import HarmlessOutput
from accord.denied import Denied
from accord.errors import AccordError, ExitCode, Interrupted

UNREAD = 141
"""Exit code where the answer's reader left early: what a shell reports of a program that SIGPIPE ended."""


class _Help(DjangoHelpFormatter):
    """Leaves what stands below the options as it is written."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if text.startswith("examples:") else super()._fill_text(text, width, indent)


def _table(rows: Mapping[str, str]) -> list[str]:
    width = max(map(len, rows), default=0)
    return [f"  {left:<{width}}  {right}" for left, right in rows.items()]


class PipedCommand(BaseCommand):
    """
    A command that ends without a traceback when an operator or the system ends it.

    Its answer may go into a pipe that is closed (`... | head -1`), and Ctrl-C may reach it at any moment.
    """

    examples: ClassVar[Mapping[str, str]] = {}
    """What one types behind the command's name, and what it does, in a few words; shown by `--help`."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Return Django's parser, with the examples below the options."""
        lines = _table(
            {f"manage.py {subcommand} {typed}".rstrip(): does for typed, does in self.examples.items()}
        )
        return super().create_parser(
            prog_name, subcommand, epilog="\n".join(["examples:", *lines]), formatter_class=_Help, **kwargs
        )

    @property
    def stdout(self) -> OutputWrapper:
        """Where the answer goes; Django sets it, with a test's own stream, too."""
        return self._stdout

    @stdout.setter
    def stdout(self, output: OutputWrapper) -> None:
        self._stdout = HarmlessOutput.over(output)

    @property
    def stderr(self) -> OutputWrapper:
        """Where messages go."""
        return self._stderr

    @stderr.setter
    def stderr(self, output: OutputWrapper) -> None:
        self._stderr = HarmlessOutput.over(output)

    def get_version(self) -> str:
        """Return what `--version` tells: ours, and Django's."""
        return f"Accord {__version__}, Django {super().get_version()}"

    def run_from_argv(self, argv: list[str]) -> None:
        """
        Run as Django does.

        Leaves with :data:`UNREAD` if standard output was closed, and with the code of
        :class:`~accord.errors.Interrupted` if the command was interrupted.
        """
        # What is loaded by now lives as long as the process; rendering models makes much garbage, and each
        # collection would look at all of this again.
        gc.freeze()
        make_encodable(sys.stdout, sys.stderr)
        try:
            try:
                super().run_from_argv(argv)
            finally:
                # A short answer waits in the buffer: whether it can be written shows now.
                sys.stdout.flush()
        except BrokenPipeError:
            closed = [_is_closed(stream) for stream in (sys.stdout, sys.stderr)]
            if not any(closed):
                raise
            sys.exit(UNREAD)
        except KeyboardInterrupt:
            error = interrupted()
            self.stderr.write(f"{error}\n  {error.hint}", lambda text: text)
            sys.exit(int(error.exit_code))
        finally:
            _is_closed(sys.stderr)


def _is_closed(stream: TextIO) -> bool:
    """Return whether a stream's reader is gone; Python, which flushes it once more, then finds a new one."""
    try:
        number = stream.fileno()
    except OSError:
        return False
    asked = select.poll()
    asked.register(number, 0)
    if not any(events & (select.POLLERR | select.POLLHUP) for _, events in asked.poll(0)):
        return False
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
    return True


class AnsweringCommand(PipedCommand):
    """
    A command whose exit code and error message follow the suite's table.

    A subclass implements :meth:`answer`. An :class:`~accord.errors.AccordError` that reaches
    this class is said on standard error (with `--format json`, as a document on standard
    output) and becomes the exit code of its class.
    """

    # A command with nothing to do has nothing to protect: checks run once there is a plan.
    requires_system_checks = ()

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """
        Run the command and write its answer.

        Returns:
            The exit code.
        """
        raise NotImplementedError(f"{type(self).__name__} must say how it answers")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command, and exit with the right code."""
        try:
            refuse_missing_apps()
            code = self.answer(options)
        except ImproperlyConfigured as exc:
            code = self._say_misconfigured(exc, options)
        except AccordError as exc:
            _put_on_record(exc)
            self.say_error(exc, options)
            code = exc.exit_code
        except KeyboardInterrupt:
            error = interrupted()
            self.say_error(error, options)
            code = error.exit_code
        if code is not ExitCode.DONE:
            raise SystemExit(int(code))

    def _say_misconfigured(self, exc: ImproperlyConfigured, options: dict[str, Any]) -> ExitCode:
        if options.get("traceback"):
            raise exc
        error = db.misconfigured(exc)
        self.say_error(error, options)
        return error.exit_code

    def say(self, answer: Answer, *, as_json: bool) -> ExitCode:
        """Write an answer in the format that was asked for, and return its exit code."""
        for line in answer.written(as_json=as_json):
            self.stdout.write(line)
        return answer.code

    def say_error(self, error: AccordError, options: dict[str, Any]) -> None:
        """Write an error in the format that was asked for; with --traceback, raise it."""
        if options.get("traceback"):
            raise error
        if options.get("format") == "json":
            self.stdout.write(
                json.dumps({"schema": "accord.error/1", "error": error_document(error)}, indent=2)
            )
            return
        self.stderr.write(str(error), self.style.ERROR)
        if error.hint:
            self.stderr.write(f"  {error.hint}", lambda text: text)


def _put_on_record(error: AccordError) -> None:
    if isinstance(error, Denied):
        # Loaded here: the trail takes longer to load than most commands need it.
        from accord.audit import denials

        denials.note(error)


def interrupted() -> Interrupted:
    """Return the error of an interrupted command; each is written so that starting it again goes on."""
    return Interrupted(
        "The command was interrupted.",
        hint="What was done is on record. Run the same command again; it goes on from there.",
    )
