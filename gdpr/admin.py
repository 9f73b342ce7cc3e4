"""Where Django's admin looks for the pages of this app; they stand in `gdpr.screens`."""

from __future__ import annotations

from gdpr.screens import (
    consent,
    datamap,
    exports,
    holds,
    recipients,
    requests,
    restores,
    restrictions,
    retention,
    retention_plans,
    rights,
)

__all__ = [
    "consent",
    "datamap",
    "exports",
    "holds",
    "recipients",
    "requests",
    "restores",
    "restrictions",
    "retention",
    "retention_plans",
    "rights",
]
