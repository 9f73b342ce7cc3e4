"""One service for approvals: what it holds against a clock that was set back, at both of its sides."""

from __future__ import annotations

import pytest

from tests.fix_requests import Erasing

pytestmark = pytest.mark.acceptance

SHORT = "from django.conf import settings; settings.ACCORD['POLICY'] = {'erasure': {'approval_days': 0}}\n"
TWO_DAYS_BACK = """
from datetime import timedelta
from accord import clock
from gdpr.errors import ApprovalVoid
own = clock.now
clock.now = lambda: own() - timedelta(days=2)
"""
TRIED = """
try:
    said = saga.work(state_changes.find("{reference}")).state
except ApprovalVoid as exc:
    said = str(exc)
say(said)
"""


def test_approval_that_expired_stays_so_where_the_clock_of_the_machine_is_set_back(erasing: Erasing) -> None:
    """The server of the row says what time it is; the neighbour, in time by that clock, is carried out."""
    late = erasing.call(SHORT + "say(approved(3).reference)")
    in_time = erasing.reference("approved(4)")

    tried = [erasing.call(TWO_DAYS_BACK + TRIED.format(reference=one)) for one in (late, in_time)]

    assert "no approval that still counts" in tried[0]
    assert erasing.state(late) == "planned"
    assert tried[1].startswith("completed")
