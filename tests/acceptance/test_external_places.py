"""Places that only a project's own code reaches: files and a processor's API, through the whole saga."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.external_places import URL, Processor, processor
from tests.fix_requests import PRELUDE, Erasing

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

PLACE = """
from django.conf import settings
settings.ACCORD["POLICY"] = {"erasure": {"attempts": 2, "retry_seconds": 60}}
from gdpr.privacy import Delete, Entry, External
from examples.streaming import privacy
from tests.external_places import Nonsense, asked
privacy.DATA_MAP = [*privacy.DATA_MAP, Entry(
    id="contacts", store="external:mailer", target="contacts", action=Delete(),
    locator=External("tests.external_places.%s", %s, timeout=1),
)]
def told(request, entry="contacts"):
    found = request.steps.get(entry=entry, again=False)
    return [request.state, found.state, found.error_code, found.affected]
def again(request): return erasure.work(erasure.retry(request, by=filer))
def due(request):
    # The time passes for which it waits.
    request.steps.filter(state="retry_wait").update(next_attempt_at=request.fenced_at)
    ErasureRequest.objects.filter(pk=request.pk).update(next_attempt_at=request.fenced_at)
    return erasure.work(ErasureRequest.objects.get(pk=request.pk))
def put(path): return asked("PUT", path)
"""
MAILER = PLACE % ("Contacts", "int")
COMPLETE = "completed_with_retention"


@pytest.fixture
def mailer() -> Iterator[Processor]:
    """Run a processor with three contacts of two listeners."""
    with processor() as one:
        one.contacts.update({"c1": "1", "c2": "1", "other": "2"})
        yield one


def call(erasing: Erasing, mailer: Processor, code: str, place: str = MAILER) -> Any:
    return erasing.call(place + code, **{URL: mailer.url})


# --- files ---------------------------------------------------------------------------------------


FILES = """
from gdpr import export
from gdpr.health_checks import checks
gathered = export.gather(load_data_map(), keys(1), by=filer)
[rows] = [part["rows"] for part in gathered["parts"] if part["id"] == "pictures"]
done = erasure.work(approved(1))
verdict = verification.verify_again(done)
done.refresh_from_db()
documents = [one.document for one in done.receipts.order_by("pk")]
[look] = [one.look for one in checks() if one.name == "external.media"]
say({
    "export": sorted(rows, key=str),
    "state": done.state, "closed": done.closed_at is not None,
    "steps": [[one["found"], one["changed"], one["residue"]] for document in documents
              for one in document["steps"] if one["entry"] == "pictures"],
    "server": documents[0]["servers"]["external:media"],
    "planned": [one["found"] for one in planning.current(done).document["entries"]
                if one["entry"] == "pictures"],
    "health": [[one.level, one.message] for one in look()],
})
"""


def test_files_go_with_what_the_stores_hold(erasing: Erasing, tmp_path: Path) -> None:
    for name in ("1/face.png", "1/deeper/old.png", "2/face.png", "11/face.png"):
        file = tmp_path / "pictures" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"four")

    found = erasing.call(FILES, MEDIA_ROOT=str(tmp_path))

    where = "files below pictures in the media folder"
    assert found == {
        "export": [{"picture": "face.png", "bytes": 4}, {"picture": "old.png", "bytes": 4}],
        "state": COMPLETE,
        "closed": True,
        # What lies deeper only `verify` knows. The second line is the second look's.
        "steps": [[2, 2, 0], [2, 2, 0]],
        "server": where,
        "planned": [2],
        "health": [["ok", f"It answers: {where}."]],
    }
    left = sorted(str(one.relative_to(tmp_path / "pictures")) for one in tmp_path.rglob("*.png"))
    assert left == ["11/face.png", "2/face.png"]


# --- a processor ---------------------------------------------------------------------------------


QUEUES = """
put("/mode/queues")
request = erasure.work(approved(1))
waits = [told(request)]
for _ in range(3):
    request = due(request)
    waits.append(told(request))
plays = request.steps.get(entry="plays").state
put("/work-off")
done = due(request)
say([waits, plays, told(done), done.receipts.count()])
"""


def test_what_is_only_queued_is_waited_for_and_never_given_up(erasing: Erasing, mailer: Processor) -> None:
    waits, plays, done, receipts = call(erasing, mailer, QUEUES)

    # Two failures in a row are the most of any other trouble: that would need a person.
    assert waits == [["retry_wait", "retry_wait", "ACC-809", 0]] * 4
    assert plays == "done", "no other store waits for it"
    assert done == [COMPLETE, "done", "", 0]
    assert receipts == 1
    assert mailer.contacts == {"other": "2"}


TROUBLE = """
request = approved(1)
found = []
for mode in ("fails", "hangs"):
    begun_ = request.state == "approved"
    put("/mode/" + mode)
    try:
        erasure.work(request)
        found.append("went on")
    except Exception as exc:
        found.append([type(exc).__name__, "c1" in str(exc)])
    request.refresh_from_db()
put("/mode/deletes")
with opened_stores() as stores:
    assert saga.start([request.pk], stores) == (set(), {})
    assert saga.begin([request.pk], stores) == (set(), {})
for mode in ("fails", "hangs"):
    put("/mode/" + mode)
    request = again(ErasureRequest.objects.get(pk=request.pk))
    found.append(told(request))
put("/mode/deletes")
found.append(told(again(request)))
say(found)
"""


def test_a_processor_that_fails_or_hangs_is_tried_again(erasing: Erasing, mailer: Processor) -> None:
    found = call(erasing, mailer, TROUBLE)

    # Nothing is begun while nobody can say what would happen; what is under way waits.
    assert found[:2] == [["StoreUnavailable", False]] * 2
    assert found[2:4] == [["retry_wait", "retry_wait", "ACC-601", 0]] * 2
    assert found[4] == [COMPLETE, "done", "", 2]


NONSENSE = """
put("/contact/c3/3")
put("/contact/c4/4")
alone, other = begun(1), begun(3)
found = []
for gives in (
    {"delete": None}, {"delete": -1}, {"delete": "2"}, {"delete": True}, {"delete": 9},
    {"find": None}, {"find": "c1"}, {"find": [1]}, {"find": [""]}, {"find": 3},
    {"delete": ValueError("of c1")},
):
    Nonsense.gives = gives
    request = again(ErasureRequest.objects.get(pk=alone.pk))
    found.append([str(gives), *told(request)])
    request.steps.filter(entry="contacts").update(failures=0, state="pending")
say(found)
"""


def test_an_answer_that_is_none_is_refused_by_its_code(erasing: Erasing, mailer: Processor) -> None:
    found = call(erasing, mailer, NONSENSE, PLACE % ("Nonsense", "int"))

    *nonsense, raised = [one[1:] for one in found]
    assert nonsense == [["retry_wait", "retry_wait", "ACC-808", 0]] * 10, found
    assert raised == ["retry_wait", "retry_wait", "ACC-807", 0]
    assert mailer.contacts.keys() >= {"c1", "c2", "other"}


def test_a_kill_behind_the_processors_back_is_taken_up_again(erasing: Erasing, mailer: Processor) -> None:
    dying = f"{PLACE % ('Dying', 'int')}erasure.work(approved(1))"

    killed = erasing.command("-c", PRELUDE + dying, program=(), **{URL: mailer.url})

    assert killed.returncode == 9, killed.stderr
    assert mailer.contacts == {"other": "2"}

    resumed = "request = ErasureRequest.objects.latest('pk')\nsay(told(erasure.work(request)))"
    assert call(erasing, mailer, resumed, PLACE % ("Dying", "int")) == [COMPLETE, "done", "", 0]


HELD = """
person = keys(1)
hold = holds.place_hold(
    person.kind, sealing.tag_of(person), HoldReason.LEGAL_CLAIMS, by=filer, entry="contacts"
)
held = erasure.work(approved(1))
put("/contact/c9/1")
before = [told(held), sorted(put("/mode/deletes")["contacts"])]
holds.release_hold(hold, by=approver)
done = erasure.work(ErasureRequest.objects.get(pk=held.pk))
after = told(done)
put("/contact/late/1")
left = verification.verify_again(done).residue
closed = erasure.work(ErasureRequest.objects.get(pk=held.pk))
verification.verify_again(closed)
closed.refresh_from_db()
say([before, after, left, closed.closed_at is not None, sorted(put("/mode/deletes")["contacts"])])
"""


def test_holds_and_the_second_look_see_it_as_any_store(erasing: Erasing, mailer: Processor) -> None:
    before, after, left, closed, contacts = call(erasing, mailer, HELD)

    assert before == [["blocked_hold", "pending", "", 0], ["c1", "c2", "c9", "other"]]
    assert after == [COMPLETE, "done", "", 3]
    assert left == 1, "what a late writer has added"
    assert closed
    assert contacts == ["other"]


RETURNS = """
from urllib.parse import quote
address = quote(keys(1).alternates["email"])
put(f"/contact/old/{address}")
done = erasure.work(approved(1))
gone = sorted(put("/mode/deletes")["contacts"])
put(f"/contact/new/{address}")
left = verification.verify_again(done)
asked_about = steps.in_doubt(done)
erasure.work(ErasureRequest.objects.get(pk=done.pk))
say([told(done), gone, left.residue, asked_about, sorted(put("/mode/deletes")["contacts"])])
"""


def test_what_comes_later_under_an_address_is_asked_about(erasing: Erasing, mailer: Processor) -> None:
    done, gone, residue, doubts, contacts = call(
        erasing, mailer, RETURNS, PLACE % ("Contacts", 'str, by="email"')
    )

    assert done[0] == COMPLETE
    assert gone == ["c1", "c2", "other"]
    assert (residue, doubts) == (0, ["contacts"])
    assert contacts == ["c1", "c2", "new", "other"]


CHANGED = """
request = approved(1)
for number in range(200):
    put(f"/contact/more-{number}/1")
try:
    erasure.work(request)
except Exception as exc:
    say([type(exc).__name__, len(put("/mode/deletes")["contacts"])])
"""


def test_an_approval_holds_for_what_was_counted(erasing: Erasing, mailer: Processor) -> None:
    assert call(erasing, mailer, CHANGED) == ["ApprovalVoid", 203]
