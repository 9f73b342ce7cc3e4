"""What the service writes often and reads by listener: sessions and devices, in MongoDB."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class DeviceProfile(models.Model):
    """A device that a listener uses."""

    class Kind(models.TextChoices):
        """What it is."""

        PHONE = "phone", "Phone"
        DESKTOP = "desktop", "Desktop"
        SPEAKER = "speaker", "Speaker"
        CAR = "car", "Car"

    listener_id = models.BigIntegerField(help_text="Listener in PostgreSQL.")
    kind = models.CharField(max_length=10, choices=Kind)
    model_name = models.CharField(max_length=80)
    settings = models.JSONField(default=dict, help_text="Volume, quality, equalizer.")
    last_seen = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "device_profile"
        indexes = [models.Index(fields=["listener_id", "-last_seen"], name="device_listener_seen")]

    def __str__(self) -> str:
        return f"{self.model_name} ({self.get_kind_display()})"


class ListeningSession(models.Model):
    """From pressing play to falling asleep."""

    listener_id = models.BigIntegerField(help_text="Listener in PostgreSQL.")
    device = models.ForeignKey(DeviceProfile, on_delete=models.CASCADE, related_name="sessions")
    started_at = models.DateTimeField()
    seconds = models.PositiveIntegerField(default=0)
    offline = models.BooleanField(default=False)

    class Meta:
        db_table = "listening_session"
        indexes = [models.Index(fields=["listener_id", "-started_at"], name="session_listener_newest")]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}, {self.seconds // 60} min"
