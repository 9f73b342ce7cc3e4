"""Lists of requests: whoever opens one meets what is due next, however many are over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import QuerySet

from gdpr.api.requests import _found
from gdpr.models import ErasureRequest
from gdpr.models.order import OVER
from gdpr.screens.base import OVER as SHOWN_AS_OVER
from gdpr.states import RequestState
from tests.fix_trail import Trail

pytestmark = pytest.mark.integration

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MANY = 3000


@pytest.fixture
def listed(trail: Trail) -> Trail:
    """Give a database with many requests that are over, and a few that are open."""
    trail.with_tables("gdpr")
    over = [request(number, RequestState.CANCELLED, closed=number) for number in range(MANY)]
    open_ones = [request(MANY + number, RequestState.RECEIVED, due=number) for number in (5, 2, 9)]
    ErasureRequest.objects.bulk_create([*over, *open_ones])
    trail.sql("ANALYZE gdpr_erasurerequest")
    return trail


def request(number: int, state: RequestState, *, due: int = -40, closed: int | None = None) -> ErasureRequest:
    """Make a request that is due in so many days, closed so many minutes after the first."""
    ended = None if closed is None else NOW + timedelta(minutes=closed)
    return ErasureRequest(
        reference=f"{number:032x}",
        subject_kind="shop.Customer",
        subject_tag=f"tag-{number}",
        state=state,
        ground="17(1)(a)",
        channel="api",
        received_at=NOW,
        due_at=NOW + timedelta(days=due),
        closed_at=ended,
    )


def plan(rows: QuerySet[ErasureRequest]) -> list[str]:
    """Name the nodes of PostgreSQL's plan, outermost first."""

    def nodes(node: Any) -> Iterator[str]:
        yield f"{node['Node Type']} {node.get('Index Name', '')}".strip()
        for inside in node.get("Plans", ()):
            yield from nodes(inside)

    [found] = json.loads(rows.explain(format="json"))
    return list(nodes(found["Plan"]))


def test_open_requests_come_first(listed: Trail) -> None:
    """Open ones by deadline, though every other was due before; then what was closed last."""
    first = list(ErasureRequest.objects.all()[:5])

    assert [int(one.reference, 16) for one in first] == [MANY + 2, MANY + 5, MANY + 9, MANY - 1, MANY - 2]


@pytest.mark.parametrize("offset", [0, 1000])
def test_page_of_a_list_is_one_index_scan(listed: Trail, offset: int) -> None:
    """Nothing is sorted: the index has the order, on the first page and on later ones."""
    page = ErasureRequest.objects.all()[offset : offset + 50]

    over = ErasureRequest.objects.filter(state__in=OVER)[offset : offset + 50]
    of_the_api = _found({}, None)[offset : offset + 50]

    for rows in (page, over, of_the_api):
        assert plan(rows) == ["Limit", "Index Scan gdpr_request_open_first"]


def test_failing_stores_keep_the_order(listed: Trail) -> None:
    """The filter that joins steps names each request once, in the same order."""
    rows = ErasureRequest.objects.filter(steps__store="search").distinct()

    assert list(rows) == []


def test_states_that_are_over_are_the_same_everywhere() -> None:
    """The order, the tiles and the filters of the admin mean the same by “open”."""
    assert set(OVER) == {state.value for state in SHOWN_AS_OVER}
    assert set(OVER) == {state.value for state in RequestState if not _is_open(state)}


def _is_open(state: RequestState) -> bool:
    from gdpr.erasure import transitions

    return state in transitions.OPEN
