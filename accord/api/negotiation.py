"""Which form an answer has: by the header `Accept`, and by nothing in the address."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation


class ByHeader(DefaultContentNegotiation):
    """Reads the header only: `?format=`, or a parameter without a name, is none that a description names."""

    settings: Any = SimpleNamespace(URL_FORMAT_OVERRIDE=None)
