"""Waivers themselves: each can be read, and covers something. :mod:`migrator.lint.linter` finds these."""

from __future__ import annotations

from migrator.lint.finding import Severity
from migrator.lint.rule import Rule

MALFORMED = Rule(
    id="waiver-malformed",
    title="A waiver says which rule, until when, who answers for it, and why.",
    safe="Write # lint: waive RULE until YYYY-MM-DD (OWNER): REASON.",
    check=lambda _subject: (),
)
UNUSED = Rule(
    id="waiver-unused",
    title="A waiver waives something.",
    safe="Take it out, or put it into the operation that it is about.",
    check=lambda _subject: (),
    severity=Severity.WARNING,
)
RULES = (MALFORMED, UNUSED)
