"""Nothing is served: only the database is looked at."""

from __future__ import annotations

urlpatterns: list[object] = []
