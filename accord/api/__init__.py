"""
What the HTTP APIs of the suite share: problems, permissions, throttles, pagination, the schema.

What may enter: what two APIs need. What may not: an operation of one package, except health and the
audit trail, which are the kernel's own.
"""

from __future__ import annotations

from accord import extras

EXTRA = ("api", ("rest_framework", "drf_spectacular"))
"""What of the distribution brings them."""

extras.require("accord.api.urls", "The HTTP API")
