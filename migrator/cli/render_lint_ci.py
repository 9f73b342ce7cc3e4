"""What lint found, as code hosts read it: SARIF, GitHub's annotations, GitLab's code quality."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from accord import __version__
from migrator.cli.render_lint import Place
from migrator.lint.finding import Finding, Severity
from migrator.lint.linter import Report
from migrator.lint.rule import Rule
from migrator.lint.waivers import Waived

_SARIF_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_GITHUB_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_GITLAB_LEVELS = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.INFO: "info"}


def sarif(report: Report, rules: Mapping[str, Rule], place: Place) -> str:
    """Write a report as SARIF 2.1.0; what is waived is suppressed there, with the reason."""
    results = [_result(one, place) for one in report.findings]
    results += [{**_result(one.finding, place), "suppressions": [_suppression(one)]} for one in report.waived]
    driver = {"name": "Accord", "version": __version__, "rules": [_rule(one) for one in rules.values()]}
    return json.dumps(
        {
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{"tool": {"driver": driver}, "results": results}],
        },
        indent=2,
        ensure_ascii=False,
    )


def _rule(rule: Rule) -> Mapping[str, Any]:
    level = _SARIF_LEVELS.get(rule.severity, "none")
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "help": {"text": rule.safe},
        "defaultConfiguration": {"level": level, "enabled": rule.severity is not Severity.OFF},
    }


def _result(finding: Finding, place: Place) -> Mapping[str, Any]:
    region = {"startLine": finding.line, "endLine": max(finding.line, finding.end)}
    return {
        "ruleId": finding.rule,
        "level": _SARIF_LEVELS[finding.severity],
        "message": {"text": _message(finding)},
        "locations": [
            {"physicalLocation": {"artifactLocation": {"uri": place(finding.path)}, "region": region}}
        ],
        "partialFingerprints": {"accord/1": _fingerprint(finding, place)},
    }


def _suppression(waived: Waived) -> Mapping[str, Any]:
    return {"kind": "inSource", "status": "accepted", "justification": waived.waiver.words}


def github(report: Report, place: Place) -> Iterator[str]:
    """Write a report as commands that GitHub Actions turns into annotations of a pull request."""
    for one in report.findings:
        where = {
            "file": place(one.path),
            "line": str(one.line),
            "endLine": str(max(one.line, one.end)),
            "title": one.rule,
        }
        marks = ",".join(f"{name}={_property(value)}" for name, value in where.items())
        yield f"::{_GITHUB_LEVELS[one.severity]} {marks}::{_data(_message(one))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def gitlab(report: Report, place: Place) -> str:
    """Write a report as GitLab's code quality artifact."""
    entries: Sequence[Mapping[str, Any]] = [
        {
            "description": _message(one),
            "check_name": one.rule,
            "fingerprint": _fingerprint(one, place),
            "severity": _GITLAB_LEVELS[one.severity],
            "location": {
                "path": place(one.path),
                "lines": {"begin": one.line, "end": max(one.line, one.end)},
            },
        }
        for one in report.findings
    ]
    return json.dumps(entries, indent=2, ensure_ascii=False)


def _message(finding: Finding) -> str:
    what = f"{finding.what}: " if finding.what else ""
    lock = f" {finding.table}: {finding.burden.words}." if finding.burden.mode else ""
    return f"{what}{finding.text}{lock} Safe: {finding.safe}"


def _fingerprint(finding: Finding, place: Place) -> str:
    """Return what stays the same while the lines of a file move."""
    parts = (finding.rule, place(finding.path), finding.what, finding.text)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
