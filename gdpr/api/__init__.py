"""
The HTTP API for requests, holds, consents and exports: `path("api/v1/", include("gdpr.api.urls"))`.

What may enter: reading a call, checking its permission, calling `gdpr.erasure` or `gdpr.consent`,
and writing the answer. What may not: a decision of its own.
"""

from __future__ import annotations

import accord.api  # noqa: F401 - says what is missing where the extra is not installed
