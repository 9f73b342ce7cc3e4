"""The days of grace: for how long nothing is planned, so that a person may take a request back."""

from __future__ import annotations

from datetime import datetime, timedelta

from accord import clock, conf
from accord.wording import say
from gdpr.errors import IllegalTransition
from gdpr.models import ErasureRequest
from gdpr.states import Channel


def ends(request: ErasureRequest) -> datetime | None:
    """Return until when a request waits for second thoughts; None for one that staff filed."""
    if request.channel != Channel.SELF:
        return None
    return request.received_at + timedelta(days=conf.load().self_service_days)


def require_over(request: ErasureRequest) -> None:
    """
    Make sure that the person has had the time to take a request back.

    Raises:
        IllegalTransition: They may still.
    """
    end = ends(request)
    if end is not None and clock.now() < end:
        raise IllegalTransition(
            say(
                "The person may take request {reference} back until {day}.",
                reference=request.reference,
                day=f"{clock.local(end):%Y-%m-%d %H:%M}",
            ),
            hint="Plan it after that.",
        )
