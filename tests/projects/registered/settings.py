"""The sample project, whose register of erasures lies in a database of its own."""

from __future__ import annotations

from typing import Any

import environ

from core import settings as sample
from core.settings import *  # noqa: F403 - it is that project

DATABASES = {**sample.DATABASES, "register": environ.Env().db_url("REGISTER_URL")}
ACCORD = {**sample.ACCORD, "ERASURE_REGISTER": {"DATABASE": "register"}}


class RegisterAlone:
    """Keeps every table of the project out of the database of the register."""

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        """Refuse that database; of others nothing is said."""
        return False if db == "register" else None


DATABASE_ROUTERS = [f"{__name__}.RegisterAlone", *getattr(sample, "DATABASE_ROUTERS", [])]
