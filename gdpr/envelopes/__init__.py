"""
Envelopes: exports that only their reader opens.

What may enter: how a file is encrypted for somebody. What may not: what is in it, and where it lies.
"""

from __future__ import annotations

EXTRA = ("export", ("pyrage",))
