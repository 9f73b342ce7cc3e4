"""What the pages of consents show, prepared for templates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from accord import clock
from gdpr.consent import register
from gdpr.erasure import on_record
from gdpr.models import ConsentEvent, ConsentNotice
from gdpr.screens.wording import Piece, compare
from gdpr.states import ConsentType


@dataclass(frozen=True, kw_only=True)
class Purpose:
    """
    What happened to one person's consent to one purpose.

    Attributes:
        name: The purpose.
        events: The newest first.
        granted: Whether data may be used for it now.
        ran_out: Whether its time is over and that isn't written down yet.
    """

    name: str
    events: Sequence[ConsentEvent]
    granted: bool
    ran_out: bool

    @property
    def newest(self) -> ConsentEvent:
        """The event that counts."""
        return self.events[0]


def purposes(who: register.Someone) -> Sequence[Purpose]:
    """Return what happened to a person's consents, by purpose."""
    events = sorted(register.history(who), key=lambda event: (event.purpose, -event.number))
    return [
        _purpose(name, list(group), who) for name, group in groupby(events, key=lambda event: event.purpose)
    ]


def _purpose(name: str, events: Sequence[ConsentEvent], who: register.Someone) -> Purpose:
    newest, now = events[0], clock.now()
    ends = newest.valid_until
    return Purpose(
        name=name,
        events=events,
        granted=register.is_granted(who, name, now),
        ran_out=ConsentType(newest.type) in register.GRANTS and ends is not None and ends <= now,
    )


def newest_event(text: str, kind: str = "") -> ConsentEvent | None:
    """
    Find the newest event of the person that a key belongs to; an erased one is found by the primary key.

    Args:
        text: The key, as typed.
        kind: What kind of person; empty where there is one.

    Returns:
        None when nothing is on record of this person.

    Raises:
        AccordError: No person has this key, or more than one person has it.
    """
    keys = on_record.find(text, [ConsentEvent], kind=kind)
    found: ConsentEvent | None = on_record.rows(keys, ConsentEvent).order_by("-at", "-pk").first()
    return found


def other_versions(notice: ConsentNotice) -> Sequence[ConsentNotice]:
    """Return the other versions of a notice in its language, the newest first."""
    same = ConsentNotice.objects.filter(purpose=notice.purpose, language=notice.language)
    return list(same.exclude(pk=notice.pk).order_by("-published_at", "-pk"))


def before(notice: ConsentNotice, versions: Sequence[ConsentNotice]) -> ConsentNotice | None:
    """Return the version that a notice took the place of; none for the first."""
    older = [one for one in versions if (one.published_at, one.pk) < (notice.published_at, notice.pk)]
    return older[0] if older else None


def changes(old: ConsentNotice, new: ConsentNotice) -> Sequence[Piece]:
    """Compare the words of two versions."""
    return compare(old.text, new.text)
