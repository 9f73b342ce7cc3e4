"""A scrub hastens what the page about what stays says, in every store, and takes nothing by force."""

from __future__ import annotations

import pytest

from tests.fix_requests import Erasing

pytestmark = pytest.mark.acceptance


def test_scrub_takes_no_lock_by_force_and_comes_with_the_second_look(erasing: Erasing) -> None:
    """A table that somebody reads is vacuumed instead; by policy cron scrubs before it closes."""
    told = erasing.call(
        f"DSN = {erasing.project.database_url!r}"
        """
import psycopg2
from django.conf import settings
from gdpr.erasure import scrubbing
from gdpr.stores.scrubs import Refusal
request = erasure.work(approved(5))
other = psycopg2.connect(DSN)
with other.cursor() as cursor: cursor.execute("SELECT 1 FROM streaming_listener")
acts = scrubbing.scrub_one(request, by=filer)["default"]
other.close()
[of_table] = [one for one in acts if one.target == "streaming_listener"]
ErasureRequest.objects.update(verify_again_at="2020-01-01T00:00:00Z")
settings.ACCORD = {**settings.ACCORD, "POLICY": {"erasure": {"scrub": 1}}}
done = processing.process_due()
again = scrubbing.scrub_one(ErasureRequest.objects.get(), by=filer)
say([of_table.act, of_table.refusal, sorted({one.act for one in acts if one is not of_table and one.target}),
     done.verified == [request.reference], done.unscrubbed,
     [one.refusal for each in again.values() for one in each if one.refusal is not Refusal.NONE]])
"""
    )

    act, refusal, others, closed, unscrubbed, refused = told
    assert (act, refusal, others) == ("vacuum", "", ["rewrite"])
    assert (closed, unscrubbed, refused) == (True, "", [])
    scrubs = erasing.rows(
        "SELECT count(*) FROM accord_auditevent WHERE event = 'erasure.step_done' AND counters ? 'skipped'"
    )
    assert scrubs == [(3,)]
