"""What a rule has to say about one place of one migration."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path

from accord.seam.types import StepKey
from migrator.foretelling.locks import NO_BURDEN, Burden


class Severity(enum.StrEnum):
    """How much a finding weighs."""

    ERROR = "error"
    """The command fails, and a run is refused where the policy asks for lint."""
    WARNING = "warning"
    """It is told, and stops nothing."""
    INFO = "info"
    """Good to know."""
    OFF = "off"
    """The rule isn't asked."""

    @property
    def weight(self) -> int:
        """Return a number that is higher the more it weighs."""
        return ("off", "info", "warning", "error").index(self.value)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """
    What a finding costs the table that stands.

    Attributes:
        rows: How many it has, about; None where nobody counted yet.
        bytes: How large it is, with its indexes.
        seconds: For how long its lock would be held once it is there, about.
    """

    rows: int | None
    bytes: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Finding:
    """
    One finding.

    Attributes:
        rule: Its rule's word.
        severity: How much it weighs here.
        key: The step.
        path: The file.
        line: The line, from 1.
        what: The operation or statement that it is about, for people; empty for the file as a whole.
        text: What is wrong, a sentence.
        safe: The safe way, a sentence.
        table: The table that suffers; empty where none does.
        burden: Lock and work that it costs that table.
        end: The last line of the place.
        measured: What it costs the table that stands; None where nobody asked.
    """

    rule: str
    severity: Severity
    key: StepKey
    path: Path
    line: int
    text: str
    safe: str
    what: str = ""
    table: str = ""
    burden: Burden = NO_BURDEN
    end: int = 0
    measured: Measured | None = None

    @property
    def lines(self) -> range:
        """Return the lines of the place."""
        return range(self.line, max(self.line, self.end) + 1)
