"""A rule: a word, a sentence, the safe way, and a function that looks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from migrator.foretelling.locks import NO_BURDEN, Burden
from migrator.lint.finding import Severity
from migrator.lint.subject import WHOLE, Sight, Spot, Subject


@dataclass(frozen=True, kw_only=True)
class Found:
    """
    What a rule found.

    Attributes:
        text: What is wrong, a sentence.
        spot: Where.
        table: The table that suffers; empty where none does.
        burden: Lock and work that it costs that table.
        eased: Whether a run sends it in parts, beside readers and writers, where the table is large.
    """

    text: str
    spot: Spot = WHOLE
    table: str = ""
    burden: Burden = NO_BURDEN
    eased: bool = False


Check = Callable[[Subject], Iterable[Found]]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """
    A rule. Projects write their own in the same way (docs/howto/lint-in-ci.md).

    Attributes:
        id: Its word, in small letters with dashes; a project's own begins with the project's name.
        title: What it keeps from happening, a sentence.
        safe: The safe way, a sentence.
        severity: How much a finding weighs, unless a policy says otherwise.
        check: Looks at a subject.
    """

    id: str
    title: str
    safe: str
    check: Check
    severity: Severity = Severity.ERROR


def about(sight: Sight, text: str) -> Found:
    """Return what was found about an act, with the lock that it takes."""
    return Found(text=text, spot=sight.spot, table=sight.act.table, burden=sight.burden, eased=sight.eased)


def each(*sights: Iterable[Sight], says: Callable[[Sight], str]) -> Iterator[Found]:
    """Yield a finding for each act of which something is to be said."""
    for some in sights:
        for sight in some:
            if text := says(sight):
                yield about(sight, text)
