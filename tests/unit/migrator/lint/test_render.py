"""What code hosts get to read."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from django.core.management.color import no_style

from accord.seam.types import StepKey
from migrator.cli import render_lint, render_lint_ci
from migrator.foretelling.locks import Burden, LockMode
from migrator.lint import registry
from migrator.lint.finding import Finding, Severity
from migrator.lint.linter import Report
from migrator.lint.waivers import Waived, Waiver

FOUND = Finding(
    rule="index-not-concurrent",
    severity=Severity.ERROR,
    key=StepKey("default", "shop", "0002_index"),
    path=Path("shop/migrations/0002_index.py"),
    line=9,
    end=12,
    what="Create index a,b on room: 100%",
    text="Writers wait\nlong.",
    safe="Build it beside them.",
    table="shop_room",
    burden=Burden(mode=LockMode.SHARE, scans=True, builds=True),
)
WAIVER = Waiver(
    line=3, below=4, rule=FOUND.rule, until=date(2027, 1, 1), owner="team rooms", reason="few rows"
)
REPORT = Report(findings=[FOUND], waived=[Waived(finding=FOUND, waiver=WAIVER)], looked_at=2)


def place(path: Path) -> str:
    return str(path)


def test_text_names_lock_and_safe_way() -> None:
    """Three lines a finding, the waived ones, and how many were looked at."""
    lines = list(render_lint.text_lines(REPORT, place, no_style()))

    assert lines[0] == "shop/migrations/0002_index.py"
    assert lines[1].startswith("     9 error index-not-concurrent: Create index")
    assert "\n" not in lines[1]
    assert lines[2].strip() == "shop_room: SHARE: writers wait while every row is read."
    assert lines[4].startswith(
        "Waived: shop/migrations/0002_index.py:9 index-not-concurrent until 2027-01-01"
    )
    assert lines[5] == "Looked at 2 migrations: 1 error, 0 warning, 0 info, 1 waived."


def test_json_tells_lock_and_waiver() -> None:
    """Programs get the same."""
    document = render_lint.document(REPORT, place)

    assert document["findings"][0]["lock"] == "SHARE"
    assert document["findings"][0]["rewrites"] is False
    assert document["waived"][0]["until"] == "2027-01-01"


def test_github_escapes_what_would_end_a_command() -> None:
    """One line a finding, whatever its text holds."""
    (line,) = render_lint_ci.github(REPORT, place)

    assert line.startswith(
        "::error file=shop/migrations/0002_index.py,line=9,endLine=12,title=index-not-concurrent::"
    )
    assert "100%25" in line
    assert "%0A" in line
    assert "\n" not in line


def test_gitlab_knows_a_finding_again_where_its_line_moved() -> None:
    """The fingerprint has no line in it; another text has another one."""
    from dataclasses import replace

    def fingerprint(finding: Finding) -> str:
        (entry,) = json.loads(render_lint_ci.gitlab(Report(findings=[finding]), place))
        return str(entry["fingerprint"])

    assert fingerprint(FOUND) == fingerprint(replace(FOUND, line=90))
    assert fingerprint(FOUND) != fingerprint(replace(FOUND, text="Another."))


def test_sarif_suppresses_what_is_waived() -> None:
    """Every rule is described, and each result names one of them."""
    run = json.loads(render_lint_ci.sarif(REPORT, registry.own(), place))["runs"][0]
    known = {rule["id"] for rule in run["tool"]["driver"]["rules"]}

    assert {result["ruleId"] for result in run["results"]} <= known
    assert [bool(result.get("suppressions")) for result in run["results"]] == [False, True]
    assert run["results"][0]["locations"][0]["physicalLocation"]["region"] == {"startLine": 9, "endLine": 12}
