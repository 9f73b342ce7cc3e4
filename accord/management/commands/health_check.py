"""`manage.py health_check`: show cron, Prometheus or an operator how the stores and requests stand."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any, ClassVar

from accord.cli.health import HealthOptions, add_health_arguments, look, render
from accord.command import PipedCommand
from accord.health.runner import HealthReport, Level


class Command(PipedCommand):
    """Run the health checks; 0 ok, 1 warn, 2 critical, 3 unknown."""

    help = (
        "Looks at stores, migrations, erasure requests, audit trail and disk, and changes nothing. "
        "Exit code 0: ok, 1: warn, 2: critical, 3: could not be told."
    )
    examples: ClassVar[Mapping[str, str]] = {
        "": "all that can be told, with a remedy for each finding",
        "--fail-on critical": "exit code 0 unless something is critical",
        "--format prometheus": "as metrics",
    }
    # A broken project is what this command is there to describe.
    requires_system_checks = ()

    _report: HealthReport | None = None

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        add_health_arguments(parser)

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
        asked = HealthOptions.read(options)
        self._report = look(asked)
        self.stdout.write(render(self._report, asked, self.style))
        code = self._report.exit_code(asked.fail_on)
        if code:
            raise SystemExit(code)


def _leave_at_once(code: int) -> None:
    """End the process without waiting for threads that a frozen server holds."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
