"""The search engines: which one answers, and what it can do."""

from __future__ import annotations

from searchindex.engines.base import Engine, EngineFeatures
from searchindex.engines.identify import identify

__all__ = ["Engine", "EngineFeatures", "identify"]
