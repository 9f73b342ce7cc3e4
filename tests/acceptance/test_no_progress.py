"""Stores that take a change of which nothing comes: the step fails, waits, and asks for a person."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fix_requests import Erasing

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

RULES = """
from django.conf import settings
settings.ACCORD["POLICY"] = {"erasure": {"attempts": 2, "retry_seconds": 0, "batch_size": 100}}
def step(request, entry): return request.steps.get(entry=entry, again=False)
def told(request, entry):
    found = step(request, entry)
    return [found.state, found.error_code, found.affected, found.failures]
"""

# Each store keeps something else than what it is told to write.
NORMALISED = """
from dataclasses import replace
from gdpr.datamap.actions import Anonymise, Unset
from gdpr.datamap.entries import Entry
from gdpr.datamap.locators import Key
from gdpr.datamap.strategies import Constant
from examples.streaming import privacy
def changed(one):
    # The column holds two digits behind the point.
    rounded = Anonymise({"price": Constant(0.123)})
    return replace(one, action=rounded) if getattr(one, "id", "") == "subscriptions" else one
privacy.DATA_MAP = [
    *map(changed, privacy.DATA_MAP),
    # Removing a field of an array's elements by its plain path changes nothing, without an error.
    Entry(id="notes", store="mongodb", target="notes", locator=Key("owner_id", int),
          action=Unset(("tags.label",))),
    # A pair comes back as a list.
    Entry(id="cards", store="search", target="cards", locator=Key("owner_id", str),
          action=Anonymise({"labels": Constant(("gone", "away"))})),
]
from examples.streaming.stores import collections, search
from searchindex.transport import at
for owner in (1, 2):
    collections()["notes"].insert_one({"owner_id": owner, "tags": [{"label": f"of {owner}"}]})
name = search().names.alias("cards")
search().transport.request("PUT", at(name), {"mappings": {"properties": {"owner_id": {"type": "keyword"}}}})
for owner in ("1", "2"):
    document = {"owner_id": owner, "labels": ["of", owner]}
    search().transport.request("PUT", f"{at(name, '_doc', owner)}?refresh=true", document)
"""

STUCK = """
from django.db import connection
stuck = ("subscriptions", "notes", "cards")
alone, *several = [approved(key) for key in (1, 2, 3)]
with connection.cursor() as cursor:
    # Nobody else has a subscription, so that nobody else is concerned.
    cursor.execute("DELETE FROM streaming_subscription WHERE listener_id NOT IN (1, 2)")
rested = erasure.work(alone)
with opened_stores() as stores:
    refused = saga.carry_out([one.pk for one in several], stores)
both, plain = [ErasureRequest.objects.get(pk=one.pk) for one in several]
say([
    [request.state for request in (rested, both, plain)],
    [told(request, entry) for request in (rested, both) for entry in stuck],
    [told(plain, entry) for entry in stuck],
    len(refused),
])
"""

TRIGGER = """
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("DELETE FROM streaming_consent WHERE listener_id IN (4, 5, 6, 7)")
    cursor.execute(
        "INSERT INTO streaming_consent (listener_id, purpose, given, at) "
        "SELECT key, 'newsletter', true, now() FROM generate_series(1, 1050), unnest(ARRAY[4, 5, 6, 7]) key"
    )
    # As tables do that keep what is deleted: the row is marked, and stays.
    cursor.execute("CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS "
                   "$$BEGIN IF OLD.listener_id IN (4, 5) THEN RETURN NULL; END IF; RETURN OLD; END$$")
    cursor.execute("CREATE TRIGGER keep BEFORE DELETE ON streaming_consent "
                   "FOR EACH ROW EXECUTE FUNCTION keep()")
requests_ = [approved(key) for key in (4, 5, 6, 7)]
rested = [erasure.work(requests_[0])]
with opened_stores() as stores:
    saga.carry_out([one.pk for one in requests_[1:3]], stores)
rested += [ErasureRequest.objects.get(pk=one.pk) for one in requests_[1:3]]
rested.append(erasure.work(requests_[3]))
first = [[one.state, *told(one, "consents"), step(one, "consents").batches] for one in rested]
with connection.cursor() as cursor:
    cursor.execute("DROP TRIGGER keep ON streaming_consent")
done = [erasure.work(erasure.retry(one, by=filer)) for one in rested[:2]]
say([first, [[one.state, *told(one, "consents")[:3]] for one in done]])
"""


LYING = """
from accord.health.runner import Level
from django.db import connection
from gdpr.health_checks import look_at_steps
def found(): return [(one.level, one.value > 0) for one in look_at_steps()]
left, resting = begun(8), begun(9)
def late(request, hours):
    request.steps.update(lease_until=timezone.now() - timedelta(hours=hours))
from datetime import timedelta
from django.utils import timezone
fresh = found()
late(left, 2)
dead = found()
left.steps.filter(entry="plays").update(finished_at=timezone.now(), state="done")
alive = found()
say([fresh, dead, alive])
"""


def test_change_that_comes_to_nothing_asks_for_a_person_in_every_store(erasing: Erasing) -> None:
    """A rounded number, a field that isn't where it is removed from, a pair that comes back as a list."""
    states, stuck, plain, refused = erasing.call(NORMALISED + RULES + STUCK)

    assert states == ["needs_operator", "needs_operator", "completed"]
    assert stuck == [["failed", "ACC-828", 0, 2]] * 6
    assert plain == [["done", "", 0, 0]] * 3
    assert refused == 0


def test_rows_that_a_trigger_keeps_stop_their_own_person_alone(erasing: Erasing) -> None:
    """Alone and among others; who has many batches with progress is done, and so is who is tried again."""
    first, done = erasing.call(RULES + TRIGGER)

    kept: list[Any] = ["needs_operator", "failed", "ACC-828", 0, 2, 0]
    assert first[:2] == [kept, kept]
    # Of two people, one is stuck: the other one's rows are taken in rounds for both, and then alone.
    assert first[2][1:5] == ["done", "", 1050, 0]
    assert first[3][1:] == ["done", "", 1050, 0, 11]
    assert all(one[0].startswith("completed") for one in first[2:])
    assert [one[1:] for one in done] == [["done", "", 1050]] * 2
    assert all(one[0].startswith("completed") for one in done)
    for key in (4, 5, 6, 7):
        erasing.assert_gone(key)


def test_steps_that_a_dead_worker_never_began_are_told_by_the_health_check(erasing: Erasing) -> None:
    """An hour without a sign of life from any step of a request; one that goes on elsewhere is fine."""
    fresh, dead, alive = erasing.call(LYING)

    assert (fresh, dead, alive) == ([["ok", False]], [["warn", True]], [["ok", False]])
