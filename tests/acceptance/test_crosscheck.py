"""Evidence in tables is held against the events that tell of it, both ways."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from tests.fix_requests import Erasing

pytestmark = pytest.mark.acceptance

STORY = """
who = consent.someone("streaming.Listener", 5)
notice = consent.publish_notice("newsletter", "2026-01", "en", "May we write to you once a month?")
web = dict(method=ConsentMethod.CHECKBOX, channel="web")
refused = consent.refuse(who, notice, **web)
given = consent.give(who, notice, **web)
done = erasure.work(approved(2))
planned_one = planned(3)
again = erasure.work(approved(4))
say({"refused": refused.reference, "given": given.reference, "done": done.reference,
     "planned": planned_one.reference, "again": again.reference})
"""


def found(erasing: Erasing) -> set[tuple[str, str]]:
    """Give the kinds of what a full check finds, each with its sentence."""
    done = erasing.command("audit_verify", "--format", "json")
    document = json.loads(done.stdout)
    assert done.returncode == (0 if document["intact"] else 6)
    return {(problem["kind"], problem["text"]) for problem in document["problems"]}


def attack(erasing: Erasing, *statements: str) -> None:
    """Send statements as a superuser who knows of the triggers, and puts them back afterwards."""
    erasing.execute("SET session_replication_role = replica; " + "; ".join(statements))


def test_each_kind_of_evidence_is_held_against_its_events(erasing: Erasing) -> None:
    """All of it fits after real acts; then something of each is forged, or taken away."""
    refs: Mapping[str, str] = erasing.call(STORY)
    assert found(erasing) == set()

    attack(
        erasing,
        # Faults A10: a refusal becomes a consent, whatever its hash.
        "UPDATE gdpr_consentevent SET type = 'given', hash = repeat('a', 64) "
        f"WHERE reference = '{refs['refused']}'",
        # Its kind is right, and its date is not; the hash was computed anew.
        f"UPDATE gdpr_consentevent SET at = at - interval '1 year', hash = repeat('b', 64) "
        f"WHERE reference = '{refs['given']}'",
        f"UPDATE gdpr_receipt SET digest = repeat('c', 64) WHERE request_id = "
        f"(SELECT id FROM gdpr_erasurerequest WHERE reference = '{refs['done']}')",
        f"UPDATE gdpr_erasurerequest SET state = 'cancelled' WHERE reference = '{refs['planned']}'",
        """INSERT INTO gdpr_legalhold
        (reference, subject_kind, subject_tag, entry, reason, placed_at, review_at)
        VALUES (repeat('e', 32), 'streaming.Listener', 'tag', '', '17(3)(e)', now(), now())""",
        "DELETE FROM accord_tombstone",
        f"DELETE FROM gdpr_approval WHERE request_id = "
        f"(SELECT id FROM gdpr_erasurerequest WHERE reference = '{refs['again']}')",
    )

    said = found(erasing)
    unwitnessed = {text for kind, text in said if kind == "unwitnessed"}
    gone = [text for kind, text in said if kind == "gone"]
    for sentence in (
        f"No event “consent.given” tells of consent {refs['refused']} as it stands",
        f"No event “consent.given” tells of consent {refs['given']} as it stands",
        "No event “receipt.issued” tells of receipt",
        f"No event “erasure.cancelled” tells of erasure request {refs['planned']} as it stands",
        f"No event “hold.placed” tells of legal hold {'e' * 32} as it stands",
    ):
        assert [text for text in unwitnessed if text.startswith(sentence)], (sentence, unwitnessed)
    assert sum("tells of a tombstone that the database doesn't hold" in text for text in gone) == 2
    assert sum("“erasure.approved”, tells of a decision" in text for text in gone) == 1
    contents = {text for text in unwitnessed if text.startswith("The content of ")}
    assert len(contents) == 3
    assert len(said) == 5 + 3 + len(contents)


def test_evidence_that_was_emptied_is_missed(erasing: Erasing) -> None:
    """TRUNCATE, past the triggers: the events still tell of it."""
    erasing.call(STORY)
    assert found(erasing) == set()

    attack(erasing, "TRUNCATE gdpr_receipt, gdpr_consentevent, gdpr_legalhold, gdpr_erasurerequest CASCADE")

    told = " ".join(text for kind, text in found(erasing) if kind == "gone")
    for what in ("consent", "receipt", "erasure request", "tombstone", "decision about a request"):
        assert f"tells of a {what} that" in told
