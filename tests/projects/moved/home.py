"""Which app has the model, as this release of the code knows it."""

from __future__ import annotations

import os

HOME = os.environ.get("PLAY_HOME", "events")
