"""Erasure requests over HTTP, on the sample project's real stores."""

from __future__ import annotations

import json

import pytest

from tests.fix_api import Served

pytestmark = pytest.mark.integration

STORY = """
body = {"subject": {"kind": "streaming.Listener", "identifiers": {"email": email}}, "ground": "17(1)(b)"}
made = send("filer", "erasure-requests/", body)
reference = made.json()["reference"]
here = f"erasure-requests/{reference}/"
early = problem(send("filer", here + "plan/"))
asked = send("filer", here + "ask-identity/").json()["state"]
identity = send("filer", here + "identity/", {"method": "document"}).json()
plan = send("filer", here + "plan/").json()
extended = send("filer", here + "extend/", {"reason": "complexity"}).json()["extended_at"]
twice = problem(send("filer", here + "extend/", {"reason": "complexity"}))
no_receipt = problem(ask("filer", here + "receipt/"))
stale = problem(approve("approver", plan, digest="0" * 64))
done = approve("approver", plan)
again = problem(approve("approver", plan))
resumed = send("approver", here + "resume/").status_code
erasure.work(ErasureRequest.objects.get(reference=reference))
final = ask("filer", here).json()
receipt = ask("filer", here + "receipt/").json()
say(
    {
        "made": [made.status_code, made["Location"], made.json()["state"], made.json()["next"]],
        "early": early,
        "asked": asked,
        "identity": [identity["state"], identity["identity"]],
        "plan": [plan["state"], sum(line["found"] for line in plan["plan"]["entries"]) > 0, plan["held"]],
        "extended": bool(extended),
        "twice": twice,
        "no_receipt": no_receipt,
        "stale": stale,
        "done": [done.status_code, done.json()["state"], done.json()["next"]],
        "again": again,
        "resumed": resumed,
        "final": [
            final["state"],
            {step["state"] for step in final["steps"]} == {"done"},
            [one["decision"] for one in final["approvals"]],
            final["days_left"],
        ],
        "signer": receipts.verify_receipt(receipt),
        "answers": [answer.content.decode() for answer in (made, done)]
        + [json.dumps(final), json.dumps(receipt)],
    }
)
"""

OWN = """
shown = planned(key)
before = AuditEvent.objects.count()
answer = approve("filer", shown)
request = ErasureRequest.objects.get(reference=shown["reference"])
rejected = send("filer", f"erasure-requests/{request.reference}/reject/", {"ground": "12(5)", "reason": "no"})
say(
    [
        problem(answer),
        problem(rejected),
        answer.json()["detail"],
        request.state,
        request.approved_by_id,
        request.approvals.count(),
        AuditEvent.objects.count() - before,
    ]
)
"""

TWICE = """
body = {"subject": subject(key), "identity": "staff"}
first = send("filer", "erasure-requests/", body, **{"Idempotency-Key": "order-0001"})
again = send("filer", "erasure-requests/", body, **{"Idempotency-Key": "order-0001"})
other_body = send(
    "filer", "erasure-requests/", {"subject": subject(other)}, **{"Idempotency-Key": "order-0001"}
)
other_person = send("approver", "erasure-requests/", body, **{"Idempotency-Key": "order-0001"})
wrong = problem(send("filer", "erasure-requests/", body, **{"Idempotency-Key": "with space"}))
say(
    [
        first.status_code,
        again.status_code,
        first.json() == again.json(),
        problem(other_body),
        other_person.json()["state"],
        other_person.json()["counts_as"] == first.json()["reference"],
        ErasureRequest.objects.filter(
            subject_tag=ErasureRequest.objects.get(reference=first.json()["reference"]).subject_tag
        ).count(),
        wrong,
    ]
)
"""

AT_ONCE = """
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from django.db import connections

barrier = Barrier(6)

def file(_):
    barrier.wait()
    try:
        return send(
            "filer", "erasure-requests/", {"subject": subject(key)}, **{"Idempotency-Key": "at-once-1"}
        )
    finally:
        connections.close_all()

with ThreadPoolExecutor(6) as pool:
    answers = list(pool.map(file, range(6)))
say(
    [
        [answer.status_code for answer in answers],
        len({answer.json()["reference"] for answer in answers}),
        AuditEvent.objects.filter(
            request_ref=answers[0].json()["reference"], event="erasure.received"
        ).count(),
    ]
)
"""

GONE = """
from gdpr.erasure import state_changes

body = {"subject": {"identifiers": {"email": email}}, "identity": "staff"}
first = send("filer", "erasure-requests/", body, **{"Idempotency-Key": "gone-00001"}).json()
plan = send("filer", f"erasure-requests/{first['reference']}/plan/").json()
approve("approver", plan)
erasure.work(state_changes.find(first["reference"]))
again = send("filer", "erasure-requests/", body, **{"Idempotency-Key": "gone-00001"})
without = send("filer", "erasure-requests/", body)
say(
    [
        again.status_code,
        again.json()["reference"] == first["reference"],
        again.json()["state"],
        problem(without),
    ]
)
"""

BAD = """
def file(identifiers, **more):
    return send("filer", "erasure-requests/", {"subject": {"identifiers": identifiers}} | more)

bad = {
    "unknown": file({"email": secret}),
    "key type": file({"id": secret}),
    "two people": file({"id": str(key), "email": other}),
    "key name": file({secret: str(key)}),
    "kind": send("filer", "erasure-requests/", {"subject": {"kind": secret, "identifiers": {"id": "1"}}}),
    "none": file({}),
    "field": file({"id": str(key)}, **{secret: 1}),
    "word": file({"id": str(key)}, ground=secret),
    "no text": file({"id": key}),
    "nul": file({"email": secret + chr(0)}),
    "list": send("filer", "erasure-requests/", [secret]),
    "no json": client("filer").post("/api/v1/erasure-requests/", secret, content_type="application/json"),
    "deep": client("filer").post("/api/v1/erasure-requests/", "[" * 50000, content_type="application/json"),
    "form": client("filer").post("/api/v1/erasure-requests/", {"subject": secret}, format="multipart"),
    "large": client("filer").post(
        "/api/v1/erasure-requests/", '"' + secret * 9999 + '"', content_type="application/json"
    ),
    "reference": send("filer", "erasure-requests/0123456789/plan/"),
    "no address": ask("filer", "erasure-requests/nobody@example.com/"),
    "nowhere": ask("filer", "nowhere/"),
    "method": client("filer").put("/api/v1/erasure-requests/", {}, format="json"),
    "options": client("filer").options("/api/v1/erasure-requests/"),
    "accept": client("filer").get("/api/v1/erasure-requests/", headers={"Accept": "text/html"}),
    "filter": ask("filer", "erasure-requests/", state=secret),
    "page": ask("filer", "erasure-requests/", limit="1000000"),
    "offset": ask("filer", "erasure-requests/", offset="9" * 30),
    "nobody": ask("", "erasure-requests/"),
    "token": APIClient().get("/api/v1/erasure-requests/", headers={"Authorization": "Token " + "0" * 40}),
}
say(
    [
        {name: problem(answer) for name, answer in bad.items()},
        [name for name, answer in bad.items() if secret in answer.content.decode()],
        bad["unknown"].json()["title"],
        bad["field"].json()["errors"],
        bad["nobody"]["WWW-Authenticate"],
    ]
)
"""


SEARCHED = """
mine, other = filed(key), filed(second)
def about(**identifiers):
    return send("approver", "erasure-requests/search/", {"subject": {"identifiers": identifiers}})
by_key, by_email = about(id=str(key)).json(), about(email=email).json()
nobody = about(id="999999")
shown = planned(third)
approve("approver", shown)
saga.work(ErasureRequest.objects.get(reference=shown["reference"]))
erased = about(id=str(third)).json()
by_lost_key = problem(about(email=lost))
say([[one["reference"] for one in by_key["results"]] == [mine], by_email["results"] == by_key["results"],
     email in json.dumps(by_email), problem(nobody), "999999" in nobody.content.decode(),
     [one["reference"] for one in erased["results"]] == [shown["reference"]], by_lost_key])
"""

LISTS = """
mine, theirs, over = planned(key)["reference"], None, None
send("approver", "erasure-requests/", {"subject": subject(second), "identity": "staff"})
from datetime import timedelta
from django.utils import timezone
from gdpr.datamap.map import load_data_map
from gdpr.erasure import requests
from gdpr.states import Channel, IdentityMethod

own = requests.file_request(
    load_data_map().resolve(str(third), "id"),
    by=account("approver"),
    channel=Channel.API,
    identity=IdentityMethod.STAFF,
    received_at=timezone.now() - timedelta(days=40),
).reference
send("approver", f"erasure-requests/{own}/plan/")

def found(name="approver", **query):
    answer = ask(name, "erasure-requests/", limit=200, **query)
    assert answer.status_code == 200, answer.content
    return {one["reference"] for one in answer.json()["results"]}

ErasureStep.objects.create(
    request=ErasureRequest.objects.get(reference=mine),
    position=1,
    entry="plays",
    store="mongodb",
    target="plays",
    action="delete",
    state="retry_wait",
)
page = ask("filer", "erasure-requests/", limit=1).json()
say(
    [
        mine in found(mine_to_approve="true"),
        own in found(mine_to_approve="true"),
        own in found("filer", mine_to_approve="true"),
        mine in found(state="planned"),
        mine in found(state=["approved", "rejected"]),
        own in found(due="over"),
        mine in found(due="over"),
        mine in found(due="later"),
        mine in found(store_failing="mongodb"),
        own in found(store_failing="mongodb"),
        len(page["results"]),
        page["count"] > 2,
        bool(page["next"]),
        [one for one in found() if "@" in one],
    ]
)
"""

DECIDED = """
one, two, three = filed(key), planned(second), filed(third)
rejected = send(
    "approver",
    f"erasure-requests/{two['reference']}/reject/",
    {"ground": "12(5)", "reason": "a private word"},
)
cancelled = send("filer", f"erasure-requests/{three}/cancel/")
double = send("approver", "erasure-requests/", {"subject": subject(key)}).json()
say(
    [
        rejected.json()["state"],
        "a private word" in rejected.content.decode(),
        cancelled.json()["state"],
        problem(send("filer", f"erasure-requests/{three}/plan/")),
        problem(send("filer", f"erasure-requests/{three}/resume/")),
        double["state"],
        double["counts_as"] == one,
        problem(send("filer", f"erasure-requests/{one}/confirm/", {"entry": "plays"})),
        problem(send("filer", f"erasure-requests/{one}/whose/", {"entry": "plays", "same_person": False})),
    ]
)
"""


def test_request_goes_its_whole_way_over_http(served: Served, customer: int) -> None:
    """Filed, planned, approved by a second person, carried out elsewhere, and proved by a receipt."""
    email = served.email(customer)

    story, logged = served.told(STORY, email=email)

    reference = story["made"][1].split("/")[-2]
    assert story["made"][:3] == [201, f"/api/v1/erasure-requests/{reference}/", "received"]
    assert "identity/" in story["made"][3]
    assert story["early"] == [409, "ACC-822"]
    assert story["asked"] == "identity_check"
    assert story["identity"] == ["received", "document"]
    assert story["plan"] == ["planned", True, False]
    assert story["extended"]
    assert story["twice"] == [409, "ACC-832"]
    assert story["no_receipt"] == [404, "not_found"]
    assert story["stale"] == [409, "ACC-826"]
    assert story["done"][:2] == [202, "approved"]
    assert "gdpr_process" in story["done"][2]
    assert story["again"] == [409, "ACC-822"]
    assert story["resumed"] == 202
    assert story["final"] == ["completed_with_retention", True, ["approved"], None]
    assert story["signer"] == "self"
    for text in (*story["answers"], logged):
        assert email not in text
        assert email.partition("@")[0] not in text
        assert "filer" not in text
    assert json.loads(story["answers"][0])["person"].startswith("Listener …")


def test_own_request_is_not_approved_over_http(served: Served, listener: int) -> None:
    """Whoever filed it is refused with the code of four eyes, and nothing has changed."""
    approved, rejected, detail, state, approver, approvals, events = served.call(OWN, key=listener)

    assert approved == [403, "ACC-823"]
    assert rejected == [403, "ACC-823"]
    assert "another person" in detail
    # Asked twice within a minute, it is one refusal in the trail, and nothing else.
    assert (state, approver, approvals, events) == ("planned", None, 0, 1)


def test_same_key_gives_the_same_request(served: Served, listener: int) -> None:
    """Sent twice it is one request; with another body it is refused; another account's key is another key."""
    other = next(served.keys)

    first, again, same, other_body, other_person, counts, requests, wrong = served.call(
        TWICE, key=listener, other=other
    )

    assert (first, again, same) == (201, 201, True)
    assert other_body == [422, "ACC-833"]
    assert (other_person, counts) == ("duplicate", True)
    assert requests == 2
    assert wrong == [400, "invalid"]


def test_same_key_at_once_gives_one_request(served: Served, listener: int) -> None:
    """Six at the same moment get the same request, and one audit event."""
    statuses, references, events = served.call(AT_ONCE, key=listener)

    assert statuses == [201] * 6
    assert references == 1
    assert events == 1


def test_key_sent_again_after_the_erasure_gives_the_same_request(served: Served, customer: int) -> None:
    """Nobody can be found by that address any more; whoever lost the answer gets it all the same."""
    status, same, state, without = served.call(GONE, email=served.email(customer))

    assert (status, same, state) == (201, True, "completed_with_retention")
    assert without == [404, "ACC-801"]


def test_bad_input_is_a_problem_that_repeats_nothing(served: Served, listener: int) -> None:
    """Each has its status and code, and no answer holds what was sent."""
    other = served.email(next(served.keys))

    problems, repeated, title, faults, header = served.call(
        BAD, secret="jane.doe@example.com", key=listener, other=other
    )

    assert problems == {
        "unknown": [404, "ACC-801"],
        "key type": [422, "ACC-803"],
        "two people": [422, "ACC-802"],
        "key name": [400, "ACC-100"],
        "kind": [400, "ACC-100"],
        "none": [400, "invalid"],
        "field": [400, "invalid"],
        "word": [400, "invalid"],
        "no text": [400, "invalid"],
        "nul": [400, "invalid"],
        "list": [400, "invalid"],
        "no json": [400, "parse_error"],
        "deep": [400, "parse_error"],
        "form": [415, "unsupported_media_type"],
        "large": [413, "too_large"],
        "reference": [404, "ACC-821"],
        "no address": [404, "not_found"],
        "nowhere": [404, "not_found"],
        "method": [405, "method_not_allowed"],
        "options": [405, "method_not_allowed"],
        "accept": [406, "not_acceptable"],
        "filter": [400, "invalid"],
        "page": [400, "invalid"],
        "offset": [400, "invalid"],
        "nobody": [401, "not_authenticated"],
        "token": [401, "authentication_failed"],
    }
    assert repeated == []
    assert title == "No data subject has this key"
    known = "Known: subject, ground, identity, received_on."
    assert faults == [{"pointer": "", "detail": f"A field isn't known. {known}"}]
    assert header == "Token"


def test_lists_are_filtered_and_paged(served: Served, listener: int) -> None:
    """By state, deadline, failing store, and what waits for the person who asks; nobody's data in them."""
    found = served.call(LISTS, key=listener, second=next(served.keys), third=next(served.keys))

    assert found == [True, False, True, True, False, True, False, True, True, False, 1, True, True, []]


def test_requests_about_a_person_are_found_by_a_key(served: Served, listener: int) -> None:
    """Theirs alone, by any key, and once they are erased by the primary one; no key is repeated."""
    second, third = next(served.keys), next(served.keys)
    found = served.call(
        SEARCHED,
        key=listener,
        second=second,
        third=third,
        email=served.email(listener),
        lost=served.email(third),
    )

    unknown = [404, "ACC-801"]
    assert found == [True, True, False, unknown, False, True, unknown]


def test_request_is_rejected_cancelled_or_a_duplicate(served: Served, listener: int) -> None:
    """Each ends where the command would end it; the reason of a refusal stays sealed."""
    rejected, told, cancelled, planned, resumed, double, counts, confirmed, whose = served.call(
        DECIDED, key=listener, second=next(served.keys), third=next(served.keys)
    )

    assert (rejected, told) == ("rejected", False)
    assert cancelled == "cancelled"
    assert planned == [409, "ACC-822"]
    assert resumed == [409, "ACC-822"]
    assert (double, counts) == ("duplicate", True)
    assert confirmed == [404, "not_found"]
    assert whose == [409, "ACC-822"]


SIDE_BY_SIDE = """
from concurrent.futures import ThreadPoolExecutor
from django.db import connections
from gdpr.datamap.map import load_data_map
from gdpr.erasure import planning
references = {key: filed(key) for key in keys}
def counted(document): return {line["entry"]: line["found"] for line in document["entries"]}
def plan(key):
    try:
        answer = send("filer", f"erasure-requests/{references[key]}/plan/")
        return [answer.status_code, counted(answer.json()["plan"])]
    finally:
        connections.close_all()
def look(key):
    try:
        return [200, counted(planning.preview(load_data_map().resolve(str(key), "id")))]
    finally:
        connections.close_all()
alone = {key: look(key) for key in keys}
with ThreadPoolExecutor(8) as pool:
    looked = list(pool.map(look, keys * 3))
    planned_ = list(pool.map(plan, keys))
say([[alone[key] for key in keys], looked, planned_])
"""


def test_threads_that_plan_at_once_each_get_the_answer_about_their_own_person(served: Served) -> None:
    """Eight threads ask every store about different people: each has connections that no other uses."""
    keys = [next(served.keys) for _ in range(8)]

    alone, looked, planned = served.call(SIDE_BY_SIDE, keys=keys)

    assert looked == alone * 3
    assert planned == alone
    assert len({json.dumps(one) for one in alone}) > 1
