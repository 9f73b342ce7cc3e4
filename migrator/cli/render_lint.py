"""What lint found, for people and for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

from django.core.management.color import Style

from accord.cli.printable import one_line
from accord.words import counted, duration
from migrator.lint.finding import Finding, Severity
from migrator.lint.linter import Report

Place = Callable[[Path], str]
"""Writes a path as seen from the root of the repository."""


def places() -> Place:
    """Return how paths are written: from the root of the repository, or from where we stand."""
    here = Path.cwd().resolve()
    root = next((one for one in (here, *here.parents) if (one / ".git").exists()), here)

    def place(path: Path) -> str:
        whole = path.resolve()
        return whole.relative_to(root).as_posix() if whole.is_relative_to(root) else str(path)

    return place


def text_lines(report: Report, place: Place, style: Style) -> Iterator[str]:
    """Write a report for people: file by file, each finding with its safe way."""
    for path, found in groupby(report.findings, key=lambda one: one.path):
        yield one_line(place(path))
        for finding in found:
            yield from _finding_lines(finding, style)
    for waived in report.waived:
        yield one_line(f"Waived: {place(waived.finding.path)}:{waived.finding.line} {waived.waiver.words}")
    yield _summary(report)


def _finding_lines(finding: Finding, style: Style) -> Iterator[str]:
    colour = {Severity.ERROR: style.ERROR, Severity.WARNING: style.WARNING}.get(finding.severity, str)
    what = f" {one_line(finding.what)}:" if finding.what else ""
    yield colour(f"  {finding.line:>4} {finding.severity} {finding.rule}:{what} {one_line(finding.text)}")
    if finding.burden.mode:
        yield f"       {finding.table}: {finding.burden.words}.{_cost_words(finding)}"
    yield f"       Safe: {finding.safe}"


def _cost_words(finding: Finding) -> str:
    cost = finding.measured
    if cost is None:
        return ""
    rows = "rows not counted" if cost.rows is None else f"about {counted(cost.rows, 'row')}"
    held = f"held for about {duration(cost.seconds)}" if cost.seconds else "held for an instant"
    return f" Now: {rows}, {cost.bytes / 1_000_000:,.1f} MB, {held}."


def _summary(report: Report) -> str:
    counts = [
        f"{sum(one.severity is severity for one in report.findings)} {severity}"
        for severity in (Severity.ERROR, Severity.WARNING, Severity.INFO)
    ]
    told = ", ".join([*counts, f"{len(report.waived)} waived"])
    return f"Looked at {counted(report.looked_at, 'migration')}: {told}."


def document(report: Report, place: Place) -> Mapping[str, Any]:
    """Describe a report for programs."""
    return {
        "schema": "accord.lint/1",
        "looked_at": report.looked_at,
        "findings": [finding_document(one, place) for one in report.findings],
        "waived": [
            {
                **finding_document(one.finding, place),
                "until": None if one.waiver.until == date.max else one.waiver.until.isoformat(),
                "owner": one.waiver.owner,
                "reason": one.waiver.reason,
            }
            for one in report.waived
        ],
    }


def finding_document(finding: Finding, place: Place) -> Mapping[str, Any]:
    """Describe a finding for programs."""
    burden = finding.burden
    return {
        "rule": finding.rule,
        "severity": str(finding.severity),
        "step": str(finding.key),
        "path": place(finding.path),
        "line": finding.line,
        "end_line": max(finding.line, finding.end),
        "operation": finding.what,
        "text": finding.text,
        "safe": finding.safe,
        "table": finding.table or None,
        "lock": burden.mode.words or None,
        "scans": burden.scans,
        "rewrites": burden.rewrites,
        "rows": finding.measured.rows if finding.measured else None,
        "bytes": finding.measured.bytes if finding.measured else None,
        "seconds": round(finding.measured.seconds, 3) if finding.measured else None,
    }
