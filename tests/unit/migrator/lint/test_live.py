"""What findings cost the tables that stand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management.color import no_style

from accord.seam.rewriting import LARGE_BYTES
from accord.seam.types import StepKey
from migrator.cli.render_lint import finding_document, text_lines
from migrator.foretelling.locks import Burden, LockMode
from migrator.foretelling.looks import Size
from migrator.lint.finding import Finding, Severity
from migrator.lint.linter import Report
from migrator.lint.live import measured

INDEX = Finding(
    rule="index-not-concurrent",
    severity=Severity.ERROR,
    key=StepKey("default", "shop", "0002_index"),
    path=Path("0002_index.py"),
    line=9,
    text="Writers wait.",
    safe="Build it beside them.",
    table="shop_room",
    burden=Burden(mode=LockMode.SHARE, scans=True, builds=True),
)
DROP = replace(INDEX, rule="column-dropped", burden=Burden(mode=LockMode.ACCESS_EXCLUSIVE))


def look(finding: Finding, size: Size | None) -> Finding:
    tables = {"shop_room": size} if size else {}
    (found,) = measured(Report(findings=[finding]), lambda _alias: tables).findings
    return found


def test_a_large_table_tells_rows_size_and_hold() -> None:
    """Building an index on 2 GB takes minutes."""
    found = look(INDEX, Size(rows=9_000_000, bytes=2 * 1024**3, is_empty=False))

    assert found.severity is Severity.ERROR
    assert found.measured is not None
    assert 60 < found.measured.seconds < 600
    lines = "\n".join(text_lines(Report(findings=[found]), str, no_style()))
    assert "Now: about 9,000,000 rows, 2,147.5 MB, held for about 0:01:42." in lines
    assert finding_document(found, str)["bytes"] == 2 * 1024**3


@pytest.mark.parametrize(
    ("size", "severity"), [(LARGE_BYTES - 1, Severity.INFO), (LARGE_BYTES, Severity.ERROR)]
)
def test_work_on_a_small_table_is_only_told(size: int, severity: Severity) -> None:
    """It is done before anybody notices."""
    assert look(INDEX, Size(rows=10, bytes=size, is_empty=False)).severity is severity


def test_what_breaks_running_code_weighs_the_same_on_any_table() -> None:
    """One row is enough to miss a column."""
    assert look(DROP, Size(rows=1, bytes=8192, is_empty=False)).severity is Severity.ERROR


@pytest.mark.parametrize("finding", [INDEX, replace(INDEX, table="")])
def test_what_nobody_measured_stays_as_it_is(finding: Finding) -> None:
    """A table that isn't there, or in a store that has none, is not small."""
    assert look(finding, None) == finding


def test_a_warning_never_becomes_heavier() -> None:
    """Off and info stay below."""
    light = replace(INDEX, severity=Severity.INFO)

    assert look(light, Size(rows=1, bytes=8192, is_empty=False)).severity is Severity.INFO
