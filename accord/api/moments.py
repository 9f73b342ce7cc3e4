"""Moments in bodies and answers: with their zone, whatever `USE_TZ` says."""

from __future__ import annotations

from datetime import tzinfo

from django.utils import timezone
from rest_framework import serializers


class MomentField(serializers.DateTimeField):
    """The framework's field, which would leave out the zone where `USE_TZ` is off."""

    def default_timezone(self) -> tzinfo:
        """Return the reader's zone."""
        return timezone.get_current_timezone()
