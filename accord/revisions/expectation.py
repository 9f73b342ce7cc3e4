"""What should stand after revisions, beside what a server answers: for `--baseline` and health checks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from accord.seam.types import Presence, Probe, StepKey


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """
    What was found of one thing that should stand, or should be gone.

    Attributes:
        presence: Absent, done or conflicting.
        lines: What is missing or different.
        gone: True for what should be gone: where it is, nothing stands, and where it isn't, something does.
    """

    presence: Presence
    lines: tuple[str, ...] = ()
    gone: bool = False

    @property
    def stands(self) -> bool:
        """Return whether the thing is there, in whatever shape."""
        return (self.presence is Presence.DONE) is not self.gone or self.presence is Presence.CONFLICTING


def judge(key: StepKey, found: Iterable[Judgement], unproved: Iterable[str] = ()) -> Probe:
    """
    Combine the findings about a step into one answer.

    Args:
        key: The step.
        found: Findings about what it sets; without any, all that it sets is there.
        unproved: What it does besides, and leaves nothing to look at.
    """
    findings = list(found)
    lines = tuple(line for finding in findings for line in finding.lines)
    presence = _overall({finding.presence for finding in findings})
    stands = any(finding.stands for finding in findings)
    return Probe(key=key, presence=presence, findings=lines, unproved=tuple(unproved), stands=stands)


def unknown(key: StepKey, why: str) -> Probe:
    """Return the answer for a step whose effects leave nothing that could be looked at."""
    return Probe(key=key, presence=Presence.UNKNOWN, findings=(why,), unproved=(why,))


def _overall(presences: set[Presence]) -> Presence:
    if Presence.CONFLICTING in presences:
        return Presence.CONFLICTING
    if presences <= {Presence.DONE}:
        return Presence.DONE
    return Presence.PARTIAL if Presence.DONE in presences else Presence.ABSENT
