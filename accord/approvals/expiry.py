"""Until when a yes counts: by the clock of the server that keeps it, which no application can set back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import connections
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.db.models.functions import Now


def server_now(using: str) -> datetime:
    """
    Ask a server what time it is, in UTC.

    Args:
        using: The database.
    """
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        [seconds] = cursor.fetchone() or [0]
    return datetime.fromtimestamp(float(seconds), tz=UTC)


def ends(life: timedelta, using: str) -> datetime:
    """
    Return when what is written down now stops to count.

    Args:
        life: How long it counts.
        using: The database.
    """
    return server_now(using) + life


def late(field: str = "expires_at") -> Q:
    """
    Return the condition that something doesn't count any more when the statement is run.

    Args:
        field: The column that says until when it counts.
    """
    return Q(**{f"{field}__lte": Now()})


def is_late(field: str = "expires_at") -> ExpressionWrapper[Q]:
    """Return :func:`late` as a column of the answer."""
    return ExpressionWrapper(late(field), output_field=BooleanField())
