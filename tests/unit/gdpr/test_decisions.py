"""Which decisions there are, and where the admin has pages for them."""

from __future__ import annotations

import pytest

from gdpr.erasure import transitions
from gdpr.models import ErasureRequest
from gdpr.screens import requests
from gdpr.screens.actions import ACTS
from gdpr.states import RequestState as S


def offered(state: S, **facts: object) -> set[str]:
    request = ErasureRequest(state=state, **facts)
    return {name for name, act in ACTS.items() if name not in ("confirm", "whose") and act.offered(request)}


def test_every_decision_has_its_page() -> None:
    """The admin names the pages without loading the services; the two lists are the same."""
    assert tuple(ACTS) == requests.ACTS


@pytest.mark.parametrize(
    ("state", "leading"),
    [
        (S.RECEIVED, {"identity", "plan"}),
        (S.IDENTITY_CHECK, {"identity"}),
        (S.PLANNED, {"approve"}),
        (S.RETRY_WAIT, {"retry"}),
        (S.NEEDS_OPERATOR, {"retry"}),
        (S.COMPLETED, {"verify"}),
    ],
)
def test_what_a_request_waits_for_is_offered_first(state: S, leading: set[str]) -> None:
    """In each state the page offers what brings the request on."""
    found = offered(state)

    assert leading <= found
    assert {name for name in found if ACTS[name].decision.leads} == leading


@pytest.mark.parametrize("state", sorted(transitions.ENDED))
def test_what_is_over_offers_nothing(state: S) -> None:
    """Nobody decides about a request that ended without an erasure."""
    assert offered(state) == set()


@pytest.mark.parametrize("state", sorted(transitions.OPEN))
def test_whatever_is_open_can_be_held_and_extended(state: S) -> None:
    """A hold and more time are for every open request."""
    assert {"hold", "extend"} <= offered(state)
