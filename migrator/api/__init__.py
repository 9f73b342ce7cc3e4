"""
The HTTP API for plans, runs and approvals: `path("api/v1/", include("migrator.api.urls"))`.

What may enter: reading a call, checking its permission, calling the engine or governance, and
writing the answer. What may not: a decision of its own.
"""

from __future__ import annotations

import accord.api  # noqa: F401 - says what is missing where the extra is not installed
