"""What should stand after revisions, beside what a server answers: for `--baseline` and health checks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from accord.seam.differences import Difference, DifferenceKind
from accord.seam.types import Presence, Probe, StepKey


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """
    What was found of one thing that should stand, or should be gone.

    Attributes:
        presence: Absent, done or conflicting.
        found: What is missing, different or left.
        gone: True for what should be gone: where it is, nothing stands, and where it isn't, something does.
    """

    presence: Presence
    found: tuple[Difference, ...] = ()
    gone: bool = False

    @property
    def stands(self) -> bool:
        """Return whether the thing is there, in whatever shape."""
        return (self.presence is Presence.DONE) is not self.gone or self.presence is Presence.CONFLICTING


GONE = Judgement(presence=Presence.DONE, gone=True)
"""Judges a thing that should be gone, and is."""


def missing(text: str) -> Judgement:
    """Judge a thing that should stand, and is not there."""
    return Judgement(presence=Presence.ABSENT, found=(Difference(kind=DifferenceKind.MISSING, text=text),))


def left(text: str, presence: Presence = Presence.ABSENT) -> Judgement:
    """
    Judge a thing that should be gone, and is there.

    Args:
        text: The sentence that says so.
        presence: Conflicting where nothing shows that the step ever made it.
    """
    found = Difference(kind=DifferenceKind.LEFT, text=text)
    return Judgement(presence=presence, found=(found,), gone=True)


def compared(lines: Iterable[str]) -> Judgement:
    """
    Judge a thing that should stand, and is there.

    Args:
        lines: How it differs from what is declared.
    """
    found = tuple(Difference(kind=DifferenceKind.DIFFERENT, text=line) for line in lines)
    return Judgement(presence=Presence.CONFLICTING if found else Presence.DONE, found=found)


def judge(key: StepKey, found: Iterable[Judgement], unproved: Iterable[str] = ()) -> Probe:
    """
    Combine the findings about a step into one answer.

    Args:
        key: The step.
        found: Findings about what it sets; without any, all that it sets is there.
        unproved: What it does besides, and leaves nothing to look at.
    """
    judged = list(found)
    differences = tuple(one for judgement in judged for one in judgement.found)
    presence = _overall({judgement.presence for judgement in judged})
    stands = any(judgement.stands for judgement in judged)
    return Probe(key=key, presence=presence, findings=differences, unproved=tuple(unproved), stands=stands)


def unknown(key: StepKey, why: str) -> Probe:
    """Return the answer for a step whose effects leave nothing that could be looked at."""
    return Probe(key=key, presence=Presence.UNKNOWN, unproved=(why,))


def _overall(presences: set[Presence]) -> Presence:
    if Presence.CONFLICTING in presences:
        return Presence.CONFLICTING
    if presences <= {Presence.DONE}:
        return Presence.DONE
    return Presence.PARTIAL if Presence.DONE in presences else Presence.ABSENT
