"""
What a project's `privacy.py` is written with: `from gdpr.privacy import Delete, Entry, Key`.

These names stay where they are; the modules behind them may move.
"""

from __future__ import annotations

from gdpr.datamap.actions import Anonymise, Delete, Detach, Manual, Nothing, Pull, Refresh, Retain, Unset
from gdpr.datamap.bases import LawfulBasis
from gdpr.datamap.entries import Entry
from gdpr.datamap.externals import ExternalPlace
from gdpr.datamap.history import Audited, History
from gdpr.datamap.inactive import Inactive
from gdpr.datamap.kinds import Subject
from gdpr.datamap.locators import AnyOf, Array, External, Generic, Key, Path, Rows, Sessions, Through
from gdpr.datamap.presets import accounts, framework, logs, suite
from gdpr.datamap.presets.django import references, tokens
from gdpr.datamap.recipients import Recipient
from gdpr.datamap.strategies import CoarseDate, Constant, Null, Pseudonym, RandomToken, Redact, Strategy
from gdpr.datamap.terms import After, Span

__all__ = [
    "After",
    "Anonymise",
    "AnyOf",
    "Array",
    "Audited",
    "CoarseDate",
    "Constant",
    "Delete",
    "Detach",
    "Entry",
    "External",
    "ExternalPlace",
    "Generic",
    "History",
    "Inactive",
    "Key",
    "LawfulBasis",
    "Manual",
    "Nothing",
    "Null",
    "Path",
    "Pseudonym",
    "Pull",
    "RandomToken",
    "Recipient",
    "Redact",
    "Refresh",
    "Retain",
    "Rows",
    "Sessions",
    "Span",
    "Strategy",
    "Subject",
    "Through",
    "Unset",
    "accounts",
    "framework",
    "logs",
    "references",
    "suite",
    "tokens",
]
