"""Waivers: where a person knows better, for a time, with a reason."""

from __future__ import annotations

from datetime import date

import pytest

from migrator.lint.finding import Severity
from migrator.lint.linter import Report
from migrator.lint.waivers import read
from tests.fix_lint import ROOM, TODAY, Workbench

INDEX = 'migrations.AddIndex("room", models.Index(fields=["name"], name="n")),'
OTHER = 'migrations.AddIndex("room", models.Index(fields=["size"], name="s")),'
WAIVE = "# lint: waive index-not-concurrent until 2026-07-01 (team rooms): forty rooms"


def look(workbench: Workbench, body: str, **severities: Severity) -> Report:
    workbench.write(ROOM)
    workbench.write(body)
    return workbench.look(severities=severities)


def test_it_covers_the_operation_below_and_no_other(workbench: Workbench) -> None:
    """The second index stays a finding."""
    report = look(workbench, f"{WAIVE}\n{INDEX}\n{OTHER}")

    assert [(one.rule, "size" in one.what) for one in report.findings] == [("index-not-concurrent", True)]
    assert [one.waiver.owner for one in report.waived] == ["team rooms"]


def test_it_covers_the_operation_that_it_stands_in(workbench: Workbench) -> None:
    """Behind a line, or within the brackets."""
    inside = INDEX.replace('"room",', f'"room",  {WAIVE}\n   ')

    assert look(workbench, inside).findings == []


def test_it_stands_above_other_comments(workbench: Workbench) -> None:
    """Two waivers, or a comment between, don't hide the operation."""
    assert look(workbench, f"{WAIVE}\n# Read at night alone.\n{INDEX}").findings == []


def test_the_day_after_the_finding_is_back(workbench: Workbench) -> None:
    """The last day still counts; the day after, the finding says whose waiver ended."""
    report = look(workbench, f"{WAIVE.replace('07-01', '06-30')}\n{INDEX}")

    assert [one.rule for one in report.findings] == ["index-not-concurrent"]
    assert "2026-06-30 (team rooms)" in report.findings[0].text
    assert report.waived == []


def test_for_good_never_ends() -> None:
    """What is released can't be changed any more."""
    (waiver,) = read("# lint: waive renamed for good (team rooms): released\nx = 1\n")

    assert not waiver.has_ended(date(9000, 1, 1))


@pytest.mark.parametrize(
    "comment",
    [
        "# lint: waive index-not-concurrent (team rooms): no day",
        "# lint: waive index-not-concurrent until 2026-07-01: no owner",
        "# lint: waive index-not-concurrent until 2026-07-01 (team rooms)",
        "# lint: waive index-not-concurrent until 2026-17-01 (team rooms): no such day",
        "# lint: waive everything until 2026-07-01 (team rooms): no such rule",
    ],
)
def test_one_that_cant_be_read_counts_for_nothing(workbench: Workbench, comment: str) -> None:
    """It is a finding of its own, and what it was meant for stays one."""
    report = look(workbench, f"{comment}\n{INDEX}")

    assert {"waiver-malformed", "index-not-concurrent"} <= {one.rule for one in report.findings}


def test_one_that_waives_nothing_is_told(workbench: Workbench) -> None:
    """The operation was mended, and the waiver forgotten."""
    report = look(workbench, f"{WAIVE}\nmigrations.RunPython(migrations.RunPython.noop, lambda a, b: None),")

    assert "waiver-unused" in {one.rule for one in report.findings}


def test_one_of_a_rule_that_isnt_asked_here_stays(workbench: Workbench) -> None:
    """Production may ask what staging doesn't."""
    severities = {"index-not-concurrent": Severity.OFF}

    assert look(workbench, f"{WAIVE}\n{INDEX}", **severities).findings == []


def test_about_the_file_it_counts_from_anywhere(workbench: Workbench) -> None:
    """A finding about the file as a whole has no operation."""
    waive = "# lint: waive file-name until 2026-07-01 (team rooms): taken over from another tool"
    workbench.write(ROOM)
    workbench.write(f"{waive}\n", name="odd")

    assert workbench.look().findings == []


def test_a_text_that_looks_like_one_is_none() -> None:
    """Only comments waive."""
    assert read(f'x = "{WAIVE}"\n') == []
    assert date(2026, 7, 1) == TODAY
