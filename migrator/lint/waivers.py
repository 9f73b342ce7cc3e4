"""
Waivers: where a person says that a finding is fine, why, who answers for it, and until when.

    # lint: waive index-not-concurrent until 2027-01-01 (team catalogue): forty rows, read by nobody at night
    # lint: waive column-not-null for good (team catalogue): released, and can't be changed any more

A comment, because it works in every kind of file alike, stands beside what it is about, is reviewed with it,
and is no part of a checksum: a migration that is applied everywhere can get one. It covers the operation that
it stands in, or the one below it; findings about the file as a whole from wherever it stands.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from migrator.lint.finding import Finding
from migrator.lint.subject import Spot

_MARK = "lint: waive"
_FORM = re.compile(
    r"^#\s*lint: waive (?P<rule>[a-z0-9.-]+) (?:for good|until (?P<until>\d{4}-\d\d-\d\d)) "
    r"\((?P<owner>[^()]+)\): (?P<reason>\S.+)$"
)
FORM = "# lint: waive RULE until YYYY-MM-DD (OWNER): REASON"
_FOR_GOOD = date.max


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """
    A waiver.

    Attributes:
        line: Where it stands.
        below: The first line below it that is no comment.
        rule: The rule that it waives; empty where it can't be read.
        until: The last day that it counts; `date.max` for good.
        owner: Who answers for it.
        reason: Why.
        flaw: Why it can't be read; empty where it can.
    """

    line: int
    below: int
    rule: str = ""
    until: date = date.min
    owner: str = ""
    reason: str = ""
    flaw: str = ""

    @property
    def words(self) -> str:
        """Return it as a part of a sentence."""
        until = "for good" if self.until == _FOR_GOOD else f"until {self.until}"
        return f"{self.rule} {until} ({self.owner}): {self.reason}"

    def covers(self, finding: Finding) -> bool:
        """Return whether it is about a finding."""
        is_near = self.line in finding.lines or self.below == finding.line
        return self.rule == finding.rule and (is_near or (not finding.what and finding.line == 1))

    @property
    def spot(self) -> Spot:
        """Return where it stands."""
        return Spot(line=self.line, end=self.line, what="a waiver")

    def has_ended(self, today: date) -> bool:
        """Return whether its last day is over."""
        return self.until < today


@dataclass(frozen=True, kw_only=True)
class Waived:
    """A finding, and the waiver that covers it."""

    finding: Finding
    waiver: Waiver


def read(text: str) -> Sequence[Waiver]:
    """Return the waivers of a file, in their order."""
    if _MARK not in text:
        return ()
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return ()
    return [
        _waiver(token, _below(tokens[number:]))
        for number, token in enumerate(tokens)
        if token.type == tokenize.COMMENT and token.string.lstrip("# ").startswith(_MARK)
    ]


_BLANK = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)


def _below(rest: Sequence[tokenize.TokenInfo]) -> int:
    return next((one.start[0] for one in rest if one.type not in _BLANK), 0)


def _waiver(token: tokenize.TokenInfo, below: int) -> Waiver:
    line = token.start[0]
    # Behind code it is about that line, and never about the next.
    below = line if token.line[: token.start[1]].strip() else below
    read_as = _FORM.match(token.string)
    if read_as is None:
        return Waiver(line=line, below=below, flaw=f"it is not of the form “{FORM}”")
    try:
        until = date.fromisoformat(read_as["until"]) if read_as["until"] else _FOR_GOOD
    except ValueError:
        return Waiver(line=line, below=below, flaw=f"{read_as['until']} is no day")
    return Waiver(
        line=line, below=below, rule=read_as["rule"], until=until,
        owner=read_as["owner"].strip(), reason=read_as["reason"].strip(),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Settled:
    """
    Findings held against waivers.

    Attributes:
        findings: What is left.
        waived: What isn't, with its waiver.
        unused: Waivers that cover nothing.
    """

    findings: Sequence[Finding]
    waived: Sequence[Waived]
    unused: Sequence[Waiver]


def settle(findings: Sequence[Finding], waivers: Collection[Waiver], today: date) -> Settled:
    """
    Hold findings against waivers; one that has ended covers nothing, and is told.

    Args:
        findings: Of one file.
        waivers: Of the same file.
        today: The day.
    """
    pairs = [(one, next((waiver for waiver in waivers if waiver.covers(one)), None)) for one in findings]
    used = {waiver for _, waiver in pairs if waiver is not None}
    return Settled(
        findings=list(_left(pairs, today)),
        waived=[
            Waived(finding=one, waiver=waiver)
            for one, waiver in pairs
            if waiver is not None and not waiver.has_ended(today)
        ],
        unused=[one for one in waivers if one not in used and not one.flaw],
    )


def _left(pairs: Sequence[tuple[Finding, Waiver | None]], today: date) -> Iterator[Finding]:
    for finding, waiver in pairs:
        if waiver is None:
            yield finding
        elif waiver.has_ended(today):
            yield replace(
                finding, text=f"{finding.text} Its waiver ended on {waiver.until} ({waiver.owner})."
            )
