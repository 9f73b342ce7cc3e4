"""
Moments in the suite's tables: aware of their zone, whatever `USE_TZ` says.

With `USE_TZ` off Django reads moments without a zone, in that of `TIME_ZONE`. In the hour that comes twice
when summer time ends such a moment is two, and neither deadlines nor the hashes of the audit trail may depend
on which was meant.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from datetime import timezone as FixedOffset  # noqa: N812 - what it is, beside Django's module of that name
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from accord.clock import aware, now


class _Moment(models.DateTimeField):  # type: ignore[type-arg]  # its parameters are those of the stubs
    """Django's field, which knows the zone of what it returns also where `USE_TZ` is off; PostgreSQL only."""

    def deconstruct(self) -> Any:
        """Return what migrations hold: Django's own field, because the column is the same."""
        name, _, arguments, options = super().deconstruct()
        return name, "django.db.models.DateTimeField", arguments, options

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001 - Django's signature
        """Return the moment to save; one that is set by itself is exact in every hour of the year."""
        if self.auto_now or (self.auto_now_add and add):
            setattr(model_instance, self.attname, now())
        return getattr(model_instance, self.attname)

    def get_prep_value(self, value: Any) -> Any:
        """Return a moment with its zone."""
        found = super().get_prep_value(value)
        return aware(found) if isinstance(found, datetime) and not settings.USE_TZ else found

    def select_format(self, compiler: Any, sql: str, params: Any) -> Any:
        """Ask for UTC where the driver is going to leave out the zone."""
        if settings.USE_TZ:
            return sql, params
        return f"({sql}) AT TIME ZONE 'UTC'", params

    def get_db_converters(self, connection: Any) -> list[Any]:
        """Convert nothing where Django's own connection knows the zone."""
        return [] if settings.USE_TZ else [_from_utc]


if TYPE_CHECKING:
    # The types of Django's own field, by which mypy's plugin knows what may be empty.
    Moment = models.DateTimeField
else:
    Moment = _Moment


def _from_utc(value: datetime | None, _expression: object, _connection: object) -> datetime | None:
    """
    Return a moment that was asked for in UTC, by the clock of the project, which pages show as it is.

    With a fixed offset: in a zone, a moment of the hour that comes twice equals no moment of another zone.
    """
    if value is None:
        return None
    found = value.replace(tzinfo=UTC).astimezone(timezone.get_default_timezone())
    return found.replace(tzinfo=FixedOffset(found.utcoffset() or timedelta()), fold=0)
