"""What findings cost the tables that stand: how large each is, and for about how long it would be locked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from accord.seam.rewriting import LARGE_BYTES
from migrator.foretelling.locks import Burden
from migrator.foretelling.looks import Size
from migrator.lint.finding import Finding, Measured, Severity
from migrator.lint.linter import Report

Sizes = Callable[[str], Mapping[str, Size] | None]
"""Gives the tables of a store by name; None where the store has none that could be measured."""

MB = 1024 * 1024
_READ, _BUILT, _WRITTEN = 100 * MB, 20 * MB, 20 * MB
"""Bytes a second that an ordinary server reads, builds an index of, and writes anew; rather too few."""


def measured(report: Report, sizes: Sizes) -> Report:
    """
    Add sizes to findings; work under a lock weighs little where there is little to do.

    Args:
        report: What lint found.
        sizes: The tables of each store.
    """
    return replace(report, findings=[_measured(one, sizes) for one in report.findings])


def _measured(finding: Finding, sizes: Sizes) -> Finding:
    if not finding.table or not finding.burden.mode:
        return finding
    size = (sizes(finding.key.store) or {}).get(finding.table)
    if size is None:
        return finding
    rows = 0 if size.is_empty else size.rows
    cost = Measured(rows=rows, bytes=size.bytes, seconds=hold(finding.burden, size.bytes))
    is_light = _works(finding.burden) and size.bytes < LARGE_BYTES
    severity = (
        min(finding.severity, Severity.INFO, key=lambda one: one.weight) if is_light else finding.severity
    )
    return replace(finding, measured=cost, severity=severity)


def _works(burden: Burden) -> bool:
    return burden.scans or burden.builds or burden.rewrites


def hold(burden: Burden, size: int) -> float:
    """
    Estimate for how many seconds a lock is held once it is there.

    Args:
        burden: What is done under it.
        size: Bytes of the table with its indexes.
    """
    if burden.rewrites:
        return size / _WRITTEN
    if burden.builds:
        return size / _BUILT
    return size / _READ if burden.scans else 0.0
