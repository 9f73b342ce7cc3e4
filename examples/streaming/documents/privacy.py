"""Where the service keeps personal data of listeners as documents: devices and sessions."""

from __future__ import annotations

from gdpr.privacy import Delete, Entry, Key, LawfulBasis

DATA_MAP = [
    Entry(
        id="devices",
        store="documents",
        target="streaming_documents.DeviceProfile",
        locator=Key("listener_id", int),
        action=Delete(),
        fields=("kind", "model_name", "settings", "last_seen"),
        category="device",
        purpose="Playing on the person's devices.",
        basis=LawfulBasis.CONTRACT,
        retention="Until the device has not been seen for a year.",
    ),
    Entry(
        id="listening-sessions",
        store="documents",
        target="streaming_documents.ListeningSession",
        locator=Key("listener_id", int),
        action=Delete(),
        fields=("device", "started_at", "seconds", "offline"),
        category="behaviour",
        purpose="Going on where the person stopped.",
        basis=LawfulBasis.CONTRACT,
        retention="Two years.",
    ),
]
