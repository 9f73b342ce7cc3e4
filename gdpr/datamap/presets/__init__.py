"""
Presets: entries for the copies of personal data that frameworks keep without being asked.

Each is a function that returns entries; an app's `privacy.py` puts them into its `DATA_MAP`.
"""

from __future__ import annotations

from gdpr.datamap.presets.django import accounts, framework, logs
from gdpr.datamap.presets.suite import suite

__all__ = ["accounts", "framework", "logs", "suite"]
