"""
Packs: entries for the copies of personal data that frameworks keep without being asked.

Each is a function that returns entries; an app's `privacy.py` puts them into its `DATA_MAP`.
"""

from __future__ import annotations

from gdpr.packs.django import accounts, framework, logs
from gdpr.packs.suite import suite

__all__ = ["accounts", "framework", "logs", "suite"]
