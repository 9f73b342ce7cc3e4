"""The order in which requests are listed: open ones by deadline, those that are over behind, newest first."""

from __future__ import annotations

from django.db.models import BooleanField, Case, ExpressionWrapper, F, Q, When
from django.db.models.expressions import OrderBy
from django.db.models.functions import Coalesce

from gdpr.states import RequestState

OVER = (
    RequestState.COMPLETED.value,
    RequestState.COMPLETED_WITH_RETENTION.value,
    RequestState.REJECTED.value,
    RequestState.CANCELLED.value,
    RequestState.DUPLICATE.value,
)
"""States in which nobody has to act. An index is built on them: another list takes another migration."""


def open_first() -> tuple[OrderBy, ...]:
    """
    Return what requests are ordered by, so that an index of the same expressions gives the order.

    Last comes the key: no two requests may change places between two pages.
    """
    is_over = ExpressionWrapper(Q(state__in=OVER), output_field=BooleanField())
    deadline = Case(When(~Q(state__in=OVER), then=F("due_at")))
    ended = Case(When(Q(state__in=OVER), then=Coalesce("closed_at", "completed_at", "received_at")))
    return is_over.asc(), deadline.asc(), ended.desc(), F("id").asc()
