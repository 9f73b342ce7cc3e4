"""
The settings of a project during a drill: its own, with every address of a store exchanged.

For processes that :mod:`gdpr.drill.drill` starts, and no others.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from gdpr.drill import exchange

VARIABLE = "ACCORD_DRILL"
"""Environment variable with the file that says where everything is."""


def _of_the_drill() -> Mapping[str, Any]:
    said = json.loads(Path(os.environ[VARIABLE]).read_text(encoding="utf-8"))
    module = import_module(said["settings"])
    before = {name: getattr(module, name) for name in dir(module) if name.isupper()}
    found = {name: exchange.exchanged(value, said["instead"]) for name, value in before.items()}
    return {
        **found,
        "DATABASES": {
            alias: exchange.database(found["DATABASES"][alias], one)
            for alias, one in said["databases"].items()
        },
        "ACCORD": exchange.accord(found.get("ACCORD", {}), said["stores"], said["folder"]),
        "CACHES": {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        "EMAIL_BACKEND": "django.core.mail.backends.locmem.EmailBackend",
    }


globals().update(_of_the_drill())
