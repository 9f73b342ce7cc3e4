"""A health report for readers, for programs and for Prometheus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from accord.health.runner import Finding, HealthReport, Level

SCHEMA = "accord.health/1"

_UNITS: Mapping[str, tuple[tuple[float, str], ...]] = {
    "bytes": ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (1, "B")),
    "seconds": ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"), (0.001, "ms")),
}
_METRICS = {
    "level": "Level of a finding: 0 ok, 1 warn, 2 critical, 3 unknown.",
    "value": "Number that the level was judged by.",
    "threshold": "Where the number begins to be the next level.",
    "age_seconds": "Seconds since the oldest thing that the finding is about.",
}
Style = Callable[[str, Level], str]


def plain(text: str, _level: Level) -> str:
    """Return a text without colours."""
    return text


# --- text --------------------------------------------------------------------------------------------


def text(report: HealthReport, style: Style = plain) -> str:
    """
    Write a table between two lines that say it all: mails show the first one, terminals the last.

    Args:
        report: What was found.
        style: Colours a word by its level.
    """
    rows = [_row(found) for found in report.findings]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    lines = [style(summary(report), report.level)]
    for found, row in zip(report.findings, rows, strict=True):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append(f"{style(cells[0], found.level)}  {cells[1]}  {cells[2]}  {found.message}")
        if found.hint and found.level is not Level.OK:
            lines.append(f"{' ' * (sum(widths) + 6)}{found.hint}")
    # On a terminal the first line has scrolled away by now.
    return "\n".join([*lines, lines[0]] if rows else lines)


def summary(report: HealthReport) -> str:
    """Describe how it stands in one line."""
    counts = Counter(found.level for found in report.findings)
    heaviest_first = (Level.CRITICAL, Level.UNKNOWN, Level.WARN, Level.OK)
    parts = ", ".join(f"{counts[level]} {level}" for level in heaviest_first if counts[level])
    return f"{report.level.upper()}: {parts or 'nothing was looked at'} ({report.seconds:.1f} s)"


def _row(found: Finding) -> tuple[str, str, str]:
    return found.level.value, found.name, amount(found.value, found.unit)


def amount(value: float | None, unit: str) -> str:
    """Write a number for display: `12 ms`, `3.4 GiB`, `7`."""
    if value is None:
        return ""
    units = _UNITS.get(unit)
    if not units:
        return f"{value:g}"
    size, word = next((pair for pair in units if abs(value) >= pair[0]), units[-1])
    return f"{value / size:.3g} {word}"


# --- JSON --------------------------------------------------------------------------------------------


def document(report: HealthReport, *, exit_code: int) -> Mapping[str, Any]:
    """Describe a report for JSON answers."""
    return {
        "schema": SCHEMA,
        "level": report.level.value,
        "exit_code": exit_code,
        "ready": report.ready,
        "seconds": round(report.seconds, 3),
        "findings": [finding_document(found) for found in report.findings],
    }


def finding_document(found: Finding) -> Mapping[str, Any]:
    """Describe a finding for JSON answers."""
    return {
        "name": found.name,
        "level": found.level.value,
        "value": found.value,
        "unit": found.unit,
        "threshold": found.threshold,
        "age": found.age,
        "message": found.message,
        "hint": found.hint,
    }


# --- Prometheus --------------------------------------------------------------------------------------


def prometheus(report: HealthReport, *, now: float) -> str:
    """
    Write the text format of Prometheus, for the textfile collector or a scrape.

    Args:
        report: What was found.
        now: Seconds since 1970: an alert on it shows that the watch itself stopped.
    """
    # A second sample of one series would make the collector refuse the whole file.
    findings = {found.name: found for found in report.findings}.values()
    lines: list[str] = []
    for metric, explanation in _METRICS.items():
        samples = list(_samples(metric, findings))
        if samples:
            lines += [*_head(f"accord_health_{metric}", explanation), *samples]
    lines += _single("accord_health_worst_level", "Heaviest level of all findings.", report.level.code)
    lines += _single("accord_health_duration_seconds", "How long the checks took.", report.seconds)
    lines += _single("accord_health_timestamp_seconds", "When the checks ran.", now)
    return "\n".join(lines)


def _samples(metric: str, findings: Iterable[Finding]) -> Iterator[str]:
    for found in findings:
        number = _number(metric, found)
        if number is not None:
            unit = f',unit="{_escaped(found.unit)}"' if metric in ("value", "threshold") else ""
            yield f'accord_health_{metric}{{check="{_escaped(found.name)}"{unit}}} {_written(number)}'


def _number(metric: str, found: Finding) -> float | None:
    numbers = {"level": found.level.code, "value": found.value, "threshold": found.threshold}
    return numbers.get(metric, found.age)


def _single(metric: str, explanation: str, number: float) -> list[str]:
    return [*_head(metric, explanation), f"{metric} {_written(number)}"]


def _head(metric: str, explanation: str) -> list[str]:
    return [f"# HELP {metric} {explanation}", f"# TYPE {metric} gauge"]


def _written(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else repr(round(float(number), 6))


def _escaped(label: str) -> str:
    return label.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
