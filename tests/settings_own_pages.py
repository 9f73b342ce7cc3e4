"""The project with people's own pages turned on."""

from __future__ import annotations

from core.settings import *  # noqa: F403 - every setting of the project
from core.settings import ACCORD as _AS_IT_IS

ACCORD = {**_AS_IT_IS, "SELF_SERVICE_DAYS": 7}
