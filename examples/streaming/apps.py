"""The Django app of the sample service."""

from __future__ import annotations

from django.apps import AppConfig


class StreamingConfig(AppConfig):
    """Streaming: the sample service's models, revisions and seed data."""

    name = "examples.streaming"
    label = "streaming"
    verbose_name = "Streaming"
    default_auto_field = "django.db.models.BigAutoField"
    # Which models django-auditlog follows, and the fields whose values it may keep: none of a person's.
    audited = {
        "Listener": (),
        "Subscription": (),
        "Consent": (),
        "Artist": (),
        "Album": ("artist", "title", "released_on"),
        "Track": ("isrc", "artist", "album", "genre", "duration", "released_on"),
        "LabelPayment": ("label", "artist", "statement_id", "amount", "currency", "month", "paid_at"),
        "Venue": ("name", "city", "country", "latitude", "longitude", "capacity"),
    }
