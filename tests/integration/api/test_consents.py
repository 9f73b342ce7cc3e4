"""Consents and legal holds over HTTP."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.fix_api import Served

pytestmark = pytest.mark.integration

CONSENTS = """
notice = {"purpose": "newsletter", "version": "1", "language": "en"}
published = send("filer", "consent-notices/", notice | {"text": "We send news."})
again = send("filer", "consent-notices/", notice | {"text": "We send news."})
other_words = problem(send("filer", "consent-notices/", notice | {"text": "We sell you."}))
act = {"subject": {"identifiers": {"email": email}}, "method": "checkbox", "channel": "web"}

def state():
    return send("filer", "consents/search/", {"subject": {"identifiers": {"id": str(key)}}}).json()

early = problem(send("filer", "consents/renew/", act | {"notice": notice}))
none = problem(send("filer", "consents/withdraw/", act | {"purpose": "newsletter"}))
given = send("filer", "consents/give/", act | {"notice": notice, "explicit": True})
stands = problem(send("filer", "consents/refuse/", act | {"notice": notice}))
renewed = send("filer", "consents/renew/", act | {"notice": notice, "valid_until": "2099-01-01T00:00:00Z"})
past = problem(
    send("filer", "consents/give/", act | {"notice": notice, "valid_until": "2001-01-01T00:00:00Z"})
)
granted = state()["current"][0]["granted"]
taken = send("filer", "consents/withdraw/", act | {"purpose": "newsletter"})
twice = send("filer", "consents/withdraw/", act | {"purpose": "newsletter"})
refused = send("filer", "consents/refuse/", act | {"notice": notice})
final = state()
words = problem(send("filer", "consents/give/", act | {"notice": notice | {"version": email}}))
purpose = send("filer", "consents/withdraw/", act | {"purpose": email})
channel = send("filer", "consents/give/", act | {"notice": notice, "channel": email})
system = problem(send("filer", "consents/give/", act | {"notice": notice, "method": "system"}))
nobody = problem(send("filer", "consents/search/", {"subject": {"identifiers": {"id": "999999"}}}))
whose = {"subject": {"identifiers": {"id": str(key)}}}
receipt = send("filer", "consents/receipt/", whose | {"purpose": "newsletter"})
unsaid = problem(send("filer", "consent-notices/", notice | {"version": "2", "text": "We send more."}))
said = send("filer", "consent-notices/", notice | {"version": "2", "text": "More.", "consents_stay": False})
listed = ask("filer", "consent-notices/").json()
say(
    [
        [published.status_code, again.status_code, published.json() == again.json()],
        other_words,
        early,
        none,
        [given.status_code, given.json()["type"], given.json()["granted"]],
        stands,
        [renewed.json()["type"], renewed.json()["number"]],
        past,
        granted,
        [taken.json()["type"], twice.json()["reference"] == taken.json()["reference"]],
        refused.json()["type"],
        [
            [event["type"] for event in final["history"]],
            len(final["current"]),
            final["current"][0]["granted"],
            final["intact"],
            final["person"][:10],
        ],
        words,
        problem(purpose),
        problem(channel),
        system,
        nobody,
        [receipt.status_code, receipt.json()["schema"], len(receipt.json()["events"]), unsaid,
         said.json()["consents_stay"], email in receipt.content.decode()],
        listed["count"] >= 1,
        [answer.content.decode() for answer in (given, purpose, channel)],
    ]
)
"""

ERASED = """
from gdpr.erasure import state_changes
from examples.streaming.models import Listener

notice = {"purpose": "profiling", "version": "1", "language": "en"}
send("filer", "consent-notices/", notice | {"text": "We look at what you play."})
send(
    "filer",
    "consents/give/",
    {"subject": subject(key), "method": "paper", "channel": "counter", "notice": notice},
)
Listener.objects.filter(pk=key).delete()
found = send("filer", "consents/search/", {"subject": subject(key)}).json()
say([[event["type"] for event in found["history"]], found["intact"]])
"""

HOLDS = """
shown = planned(key)
placed = send("filer", "holds/", {"subject": {"identifiers": {"email": email}}, "reason": "17(3)(e)"})
reference = placed.json()["reference"]
state = ask("filer", f"erasure-requests/{shown['reference']}/").json()
same = problem(send("filer", f"holds/{reference}/release/"))
listed = {one["reference"] for one in ask("filer", "holds/", active="true", limit=200).json()["results"]}
released = send("approver", f"holds/{reference}/release/").json()
again = problem(send("approver", f"holds/{reference}/release/"))
inactive = {one["reference"] for one in ask("filer", "holds/", active="false", limit=200).json()["results"]}
entry = send(
    "filer", "holds/", {"subject": subject(key), "reason": "authority", "entry": "subscriptions"}
).json()
unknown = send("filer", "holds/", {"subject": subject(key), "reason": "authority", "entry": email})
past = problem(
    send(
        "filer",
        "holds/",
        {"subject": subject(key), "reason": "authority", "review_at": "2001-01-01T00:00:00Z"},
    )
)
send("approver", f"holds/{entry['reference']}/release/")
say(
    dict(
        placed=placed.status_code,
        state=state["state"],
        held=state["held"],
        same=same,
        listed=reference in listed,
        active=released["active"],
        another=released["released_by"] != released["placed_by"],
        again=again,
        inactive=reference in inactive,
        entry=entry["entry"],
        unknown=problem(unknown),
        past=past,
        resumed=ask("filer", f"erasure-requests/{shown['reference']}/").json()["state"],
        answers=[
            ask("filer", f"holds/{reference}/").content.decode(),
            unknown.content.decode(),
            placed.content.decode(),
        ],
        missing=problem(ask("filer", "holds/" + "0" * 32 + "/")),
    )
)
"""


def test_consent_is_given_renewed_withdrawn_and_refused(served: Served, listener: int) -> None:
    """Each is an event of its own, found by a search whose address names nobody."""
    email = served.email(listener)

    found, logged = served.told(CONSENTS, key=listener, email=email)

    (
        published,
        other_words,
        early,
        none,
        given,
        stands,
        renewed,
        past,
        granted,
        taken,
        refused,
        final,
        *rest,
    ) = found
    words, purpose, channel, system, nobody, more, listed, answers = rest
    assert published == [201, 201, True]
    assert other_words == early == none == stands == past == [409, "ACC-840"]
    assert given == [201, "given", True]
    assert renewed == ["renewed", 2]
    assert granted
    assert taken == ["withdrawn", True]
    assert refused == "refused"
    assert final == [["given", "renewed", "withdrawn", "refused"], 1, False, True, "Listener …"]
    assert words == purpose == [404, "ACC-841"]
    assert channel == system == [400, "invalid"]
    assert nobody == [404, "ACC-801"]
    assert more == [200, "accord.consent.receipt/1", 4, [409, "ACC-840"], False, False]
    assert listed
    assert not [text for text in (*answers, logged) if email in text]


def test_proof_of_consent_outlives_the_person(served: Served, listener: int) -> None:
    """Who has no row any more is found by the primary key that they had."""
    assert served.call(ERASED, key=listener) == [["given"], True]


def test_hold_is_placed_and_released_by_another_person(served: Served, listener: int) -> None:
    """The open request stops, and goes on once somebody else released the hold."""
    email = served.email(listener)

    found = SimpleNamespace(**served.call(HOLDS, key=listener, email=email))

    assert (found.placed, found.state, found.held) == (201, "blocked_hold", True)
    assert found.same == [403, "ACC-823"]
    assert (found.listed, found.active, found.another, found.inactive) == (True, False, True, True)
    assert found.again == [409, "ACC-822"]
    assert found.entry == "subscriptions"
    assert found.unknown == [404, "ACC-103"]
    assert found.past == [400, "invalid"]
    assert found.resumed == "planned"
    assert not [text for text in found.answers if email in text]
    assert found.missing == [404, "not_found"]
