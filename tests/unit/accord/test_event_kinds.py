"""Every kind of event that the trail declares has an act in the code that writes it."""

from __future__ import annotations

import re
from functools import cache

from accord.audit.events import EventKind
from tests.fix_project import ROOT

PACKAGES = ("accord", "migrator", "mongo_migrations", "searchindex", "gdpr")
# Declared, and written by nothing yet. Who builds the act takes the kind off this list; no other joins it.
WITHOUT_AN_ACT = frozenset(
    (
        "ACCESS_DENIED",
        "APPROVAL_CANCELLED",
        "BREAK_GLASS",
        "CHAIN_BROKEN",
        "CHAIN_VERIFIED",
        "CONSENT_INVALIDATED",
        "EXPORT_DELETED",
        "EXPORT_DOWNLOADED",
        "EXPORT_MADE",
        "HOLD_REVIEWED",
        "POLICY_REFUSED",
        "RECEIPT_VIEWED",
        "RECIPIENT_NOTIFIED",
        "REPLAY_FINISHED",
        "REPLAY_STARTED",
        "RETENTION_APPLIED",
        "SUBJECT_RELEASED",
        "SUBJECT_RESTRICTED",
        "SUBJECT_REVEALED",
        "TOMBSTONE_PURGED",
    )
)


@cache
def written() -> frozenset[str]:
    """Read which kinds the code of the suite names, outside of their declaration."""
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    texts = [path.read_text() for path in files if path != ROOT / "accord/audit/events.py"]
    return frozenset(name for text in texts for name in re.findall(r"\bEventKind\.([A-Z_]+)\b", text))


def test_every_declared_kind_has_an_act() -> None:
    """An auditor who finds no event of a kind may conclude that the thing did not happen."""
    declared = frozenset(kind.name for kind in EventKind)

    assert sorted(declared - written() - WITHOUT_AN_ACT) == []


def test_kinds_without_an_act_are_no_more_than_named() -> None:
    """The list only gets shorter: one that is written by now, or is declared no more, leaves it."""
    declared = frozenset(kind.name for kind in EventKind)

    assert sorted(WITHOUT_AN_ACT & written()) == []
    assert declared >= WITHOUT_AN_ACT
