"""
Whatever the data map, the keys, the kills and the returns: nothing is left, and nobody else is touched.

Maps, people and moments are made by chance (`tests/random_maps.py`); `ACCORD_SEED` repeats a run.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.chance import chance, moments
from tests.fix_requests import Erasing
from tests.random_maps import RandomMap, without

pytestmark = [pytest.mark.acceptance, pytest.mark.slow, pytest.mark.matrix]

MAPS = 60
KILLED = -9
MAP = """
from tests.random_maps import RandomMap
the = RandomMap({seed!r})
the.install()
"""
START = """
the.create()
the.fill()
subject = load_data_map().subject
for person in the.erased:
    [own] = subject.of_primary([str(person.key) if subject.type is not int else person.key])
    request = requests.file_request(
        own, by=filer, channel=Channel.COMMAND, identity=IdentityMethod.STAFF
    )
    planning.plan(request)
    request.refresh_from_db()
    approvals.approve(request, by=approver, digest=request.plan_digest)
say(the.content())
"""
# A writer that was late, with the key that stands for one person for ever; and somebody new.
RETURN = """
from gdpr.models import ErasureRequest
person, newcomer = the.erased[{who}], the.newcomers[{who}]
fenced = ErasureRequest.objects.exclude(fenced_at=None).exists()
for place in the.places:
    if fenced and place.entry.id != "people" and place.how in ("key", "path"):
        the.put(place, person, person.word + " late")
came = the.comes_back(newcomer)
say([came, the.content()])
"""
SETTLE = """
from django.db.models.functions import Now
from gdpr.erasure import newer
from gdpr.models import ErasureRequest, ErasureStep
told = []
for _ in range(14):
    processing.process_due()
    for request in ErasureRequest.objects.filter(closed_at=None):
        for entry in steps.in_doubt(request):
            told.append(entry)
            newer.tell(request, entry, same_person=False, by=filer)
        request.refresh_from_db()
        if request.state == "needs_operator":
            erasure.retry(request, by=filer)
    ErasureRequest.objects.filter(verify_again_at__gt=Now()).update(verify_again_at=Now())
    ErasureRequest.objects.filter(next_attempt_at__gt=Now()).update(next_attempt_at=Now())
    ErasureStep.objects.filter(next_attempt_at__gt=Now()).update(next_attempt_at=Now())
say({
    "open": [[one.state, one.trouble, [[step.entry, step.state, step.error_code, step.residue]
              for step in one.steps.exclude(state="done")]]
             for one in ErasureRequest.objects.filter(closed_at=None)],
    "residue": sum(step["residue"] for one in Receipt.objects.all() for step in one.document["steps"]),
    "asked": told,
    "content": the.content(),
})
"""


@pytest.mark.by_turns(3)
@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", range(moments(MAPS, 1)))
def test_nothing_is_left_and_nobody_else_is_touched(erasing: Erasing, number: int) -> None:
    dice = chance(f"random map {number}")
    seed = f"{dice.random()}"
    the, the_map = RandomMap(seed), MAP.format(seed=seed)
    words = [one.word for one in the.erased]
    told = f"map {seed}: {[(one.entry.id, one.how, str(one.entry.action)) for one in the.places]}"
    before: dict[str, Any] = erasing.call(the_map + START)

    kept = without(before, words)
    for who in (0, 1):
        line = int(10 ** dice.uniform(1.5, 4))
        died = erasing.command(seed, str(line), program=("-m", "tests.random_maps"))
        assert died.returncode in (0, 3, KILLED), died.stderr
        told += f"; killed at line {line}: {died.returncode}"
        _came, since = erasing.call(the_map + RETURN.format(who=who))
        assert without(since, [*words, the.newcomers[who].word]) == kept, told
        kept = without(since, words)
    done = erasing.call(the_map + SETTLE)

    print(told, done["asked"])  # noqa: T201 - what was tried
    assert done["open"] == [], told
    assert done["residue"] == 0, told
    left = [one for rows in done["content"].values() for one in rows if any(word in one for word in words)]
    assert left == [], told
    assert without(done["content"], words) == kept, told
