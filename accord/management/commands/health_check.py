"""`manage.py health_check`: show cron, Prometheus or an operator how the stores and requests stand."""

from __future__ import annotations

import json
import os
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from accord.command import PipedCommand
from accord.errors import AccordError
from accord.health import formats, runner
from accord.health.runner import Finding, HealthReport, Level


class Command(PipedCommand):
    """Run the health checks; 0 ok, 1 warn, 2 critical, 3 unknown."""

    help = (
        "Looks at stores, migrations, erasure requests, audit trail and disk, and changes nothing. "
        "Exit code 0: ok, 1: warn, 2: critical, 3: could not be told."
    )
    # A broken project is what this command is there to describe.
    requires_system_checks = ()

    _report: HealthReport | None = None

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--format", choices=("text", "json", "prometheus"), default="text", help="How to answer."
        )
        parser.add_argument(
            "--only", nargs="+", default=[], metavar="NAME",
            help="Only these checks, or those whose names begin with it up to a dot: store, store.default.",
        )  # fmt: skip
        parser.add_argument(
            "--fail-on",
            choices=("warn", "critical"),
            default="warn",
            help="The lightest level with an exit code of its own (default: warn). With “critical”, warnings "
            "exit with 0.",
        )
        parser.add_argument(
            "--timeout", type=_seconds, default=runner.TIMEOUT, metavar="SECONDS",
            help=f"How long a check may take before it counts as unknown (default: {runner.TIMEOUT:g}).",
        )  # fmt: skip

    def run_from_argv(self, argv: list[str]) -> None:
        """Exit with a code of this command's own, even where a check still hangs."""
        code: int | str | None = 0
        try:
            super().run_from_argv(argv)
        except SystemExit as exc:
            code = exc.code
        if code and self._report is None:
            # The call is wrong. Monitoring systems would take argparse's 2 for an outage.
            code = Level.UNKNOWN.code
        if self._report is not None and self._report.hung:
            _leave_at_once(int(code or 0))
        if code:
            sys.exit(code)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the checks and answer."""
        try:
            checks = runner.select(runner.discover(), options["only"])
            report = runner.run_checks(checks, timeout=options["timeout"])
        except AccordError as exc:
            if options["traceback"]:
                raise
            report = _untold(exc)
        self._report = report
        code = report.exit_code(Level(options["fail_on"]))
        self.stdout.write(self._rendered(report, options["format"], code))
        if code:
            raise SystemExit(code)

    def _rendered(self, report: HealthReport, form: str, code: int) -> str:
        if form == "json":
            return json.dumps(formats.document(report, exit_code=code), indent=2)
        if form == "prometheus":
            return formats.prometheus(report, now=time.time())
        return formats.text(report, self._coloured)

    def _coloured(self, text: str, level: Level) -> str:
        styles = {
            Level.OK: self.style.SUCCESS,
            Level.WARN: self.style.WARNING,
            Level.CRITICAL: self.style.ERROR,
            Level.UNKNOWN: self.style.NOTICE,
        }
        return styles[level](text)


def _untold(error: AccordError) -> HealthReport:
    """Return a report of what kept the checks from running, so that the answer has its usual form."""
    found = Finding(name="health_check", level=Level.UNKNOWN, message=str(error), hint=error.hint)
    return HealthReport(findings=(found,))


def _leave_at_once(code: int) -> None:
    """End the process without waiting for threads that a frozen server holds."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ArgumentTypeError(f"“{text}” is not a number of seconds above 0")
    return seconds
