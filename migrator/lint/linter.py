"""Asks every rule about every subject, and holds what was found against waivers. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from migrator.lint import waivers
from migrator.lint.finding import Finding, Severity
from migrator.lint.rule import Found, Rule
from migrator.lint.rules.waiving import MALFORMED, UNUSED
from migrator.lint.severities import refuse_unknown
from migrator.lint.subject import Subject
from migrator.lint.waivers import Waived, Waiver

_EASED = "a run of migrate_all sends it in parts, beside readers and writers, where the table is large."


@dataclass(frozen=True, kw_only=True)
class Report:
    """
    What lint found.

    Attributes:
        findings: In the order of the migrations, then of the lines.
        waived: What persons waived, and still counts.
        looked_at: How many migrations were looked at.
    """

    findings: Sequence[Finding] = field(default=())
    waived: Sequence[Waived] = field(default=())
    looked_at: int = 0

    def at_least(self, severity: Severity) -> Sequence[Finding]:
        """Return the findings that weigh as much, or more."""
        return [one for one in self.findings if one.severity.weight >= severity.weight]


class Linter:
    """
    Looks at subjects.

    Args:
        rules: By their words.
        severities: By a rule's word, how much it weighs here; other rules weigh what they say themselves.
        today: The day, for waivers.

    Raises:
        ConfigurationError: A weight is given to a rule that isn't there.
    """

    def __init__(self, rules: Mapping[str, Rule], severities: Mapping[str, Severity], today: date) -> None:
        refuse_unknown(severities, rules)
        self._rules = [
            rule for rule in rules.values() if self._severity(rule, severities) is not Severity.OFF
        ]
        self._known = rules
        self._severities = severities
        self._today = today

    def look(self, subjects: Iterable[Subject]) -> Report:
        """Ask all rules about all subjects."""
        findings: list[Finding] = []
        waived: list[Waived] = []
        count = 0
        for subject in subjects:
            settled = self._settled(subject)
            findings += settled.findings
            waived += settled.waived
            count += 1
        return Report(findings=findings, waived=waived, looked_at=count)

    @staticmethod
    def _severity(rule: Rule, severities: Mapping[str, Severity]) -> Severity:
        return severities.get(rule.id, rule.severity)

    def _settled(self, subject: Subject) -> Report:
        found = [self._finding(rule, subject, one) for rule in self._rules for one in rule.check(subject)]
        written = waivers.read(subject.text)
        settled = waivers.settle(found, written, self._today)
        own = [self._finding(rule, subject, one) for rule, one in self._of_waivers(written, settled.unused)]
        findings = sorted(
            [*settled.findings, *own], key=lambda one: (one.line, -one.severity.weight, one.rule)
        )
        return Report(findings=findings, waived=settled.waived)

    def _finding(self, rule: Rule, subject: Subject, found: Found) -> Finding:
        severity = Severity.INFO if found.eased else self._severity(rule, self._severities)
        return Finding(
            rule=rule.id,
            severity=severity,
            key=subject.key,
            path=subject.path,
            line=found.spot.line,
            end=found.spot.end,
            what=found.spot.what,
            text=found.text,
            safe=_EASED if found.eased else rule.safe,
            table=found.table,
            burden=found.burden,
        )

    def _of_waivers(
        self, written: Sequence[Waiver], unused: Sequence[Waiver]
    ) -> Iterator[tuple[Rule, Found]]:
        asked = {rule.id for rule in self._rules}
        for waiver in written:
            flaw = waiver.flaw or ("" if waiver.rule in self._known else f"there is no rule “{waiver.rule}”")
            if flaw and MALFORMED.id in asked:
                yield MALFORMED, Found(text=f"A waiver doesn't count: {flaw}.", spot=waiver.spot)
        for waiver in unused:
            # A rule that isn't asked here may be asked in another environment.
            if waiver.rule in asked and UNUSED.id in asked:
                yield UNUSED, Found(text=f"Nothing here is to be waived of {waiver.rule}.", spot=waiver.spot)
