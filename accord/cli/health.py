"""What `health_check` does, and the forms of its report."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.management.color import Style

from accord.errors import AccordError
from accord.health import formats, runner
from accord.health.runner import Finding, HealthReport, Level


@dataclass(frozen=True, kw_only=True)
class HealthOptions:
    """
    What a call asks for.

    Attributes:
        only: Names of the only checks and findings that are asked for; all if empty.
        fail_on: The lightest level with an exit code of its own.
        timeout: Seconds that a check may take.
        form: How to answer: `text`, `json`, `prometheus`.
        as_raised: Whether what keeps the checks from running is raised, not reported.
    """

    only: Sequence[str]
    fail_on: Level
    timeout: float
    form: str
    as_raised: bool

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> HealthOptions:
        """Read what the command line gave."""
        return cls(
            only=tuple(options["only"]),
            fail_on=Level(options["fail_on"]),
            timeout=options["timeout"],
            form=options["format"],
            as_raised=options["traceback"],
        )


def add_health_arguments(parser: ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument(
        "--format", choices=("text", "json", "prometheus"), default="text", help="How to answer."
    )
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="NAME",
        help="Only what bears these names, or begins with one up to a dot: store, store.default.",
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


def look(asked: HealthOptions) -> HealthReport:
    """
    Run the checks that are asked for; what keeps them from running is a report, too.

    Raises:
        AccordError: They can't be run, and that is asked for as it is raised.
    """
    try:
        checks = runner.select(runner.discover(), asked.only)
        return runner.run_checks(checks, timeout=asked.timeout)
    except AccordError as exc:
        if asked.as_raised:
            raise
        found = Finding(name="health_check", level=Level.UNKNOWN, message=str(exc), hint=exc.hint)
        return HealthReport(findings=(found,))


def render(report: HealthReport, asked: HealthOptions, style: Style) -> str:
    """Write a report in the form that is asked for."""
    if asked.form == "json":
        code = report.exit_code(asked.fail_on)
        return json.dumps(formats.document(report, exit_code=code), indent=2)
    if asked.form == "prometheus":
        return formats.prometheus(report, now=time.time())
    styles = {
        Level.OK: style.SUCCESS,
        Level.WARN: style.WARNING,
        Level.CRITICAL: style.ERROR,
        Level.UNKNOWN: style.NOTICE,
    }
    return formats.text(report, lambda text, level: styles[level](text))


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ArgumentTypeError(f"“{text}” is not a number of seconds above 0")
    return seconds
