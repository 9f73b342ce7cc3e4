"""The service's documents in Django's admin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from examples.streaming.documents.models import DeviceProfile, ListeningSession

if TYPE_CHECKING:
    # At run time Django's admin classes take no type arguments.
    DeviceBase = admin.ModelAdmin[DeviceProfile]
    SessionBase = admin.ModelAdmin[ListeningSession]
else:
    DeviceBase = SessionBase = admin.ModelAdmin


@admin.register(DeviceProfile)
class DeviceProfileAdmin(DeviceBase):
    """Devices of listeners."""

    list_display = ["model_name", "kind", "listener_id", "last_seen"]
    list_filter = ["kind"]
    search_fields = ["model_name"]


@admin.register(ListeningSession)
class ListeningSessionAdmin(SessionBase):
    """Listening sessions, newest first."""

    list_display = ["started_at", "listener_id", "minutes", "offline"]
    list_filter = ["offline"]
    ordering = ["-started_at"]
    raw_id_fields = ["device"]

    @admin.display
    def minutes(self, session: ListeningSession) -> int:
        """Give the length."""
        return session.seconds // 60
