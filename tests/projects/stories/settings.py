"""The sample project as an installation of its own: its files in one folder, its policy, further apps."""

from __future__ import annotations

import json
import os
from pathlib import Path

from core import settings as sample
from core.settings import *  # noqa: F403 - it is that project, set up as people set it up

_FOLDER = Path(os.environ["STORY_FOLDER"])

INSTALLED_APPS = [*sample.INSTALLED_APPS, *filter(None, [os.environ.get("STORY_APP")])]
ACCORD = {
    **sample.ACCORD,
    "POLICY": {
        "staging": {"rules": ["name", "version_order", "docstring", "owner", "reversible"]},
        "production": {
            "approval": True,
            "attestation": "staging",
            "rules": ["name", "version_order", "docstring", "owner", "reversible"],
        },
        # Nobody waits a day in a test for the second look at the stores.
        "erasure": {"verify_again_hours": 0},
        # Every account of the stories has the same password.
        "proof": {"password_variable": ["staging", "production"]},
    },
    "ATTESTATIONS": str(_FOLDER / "attestations"),
    "AUDIT_CHECKPOINTS": str(_FOLDER / "audit-checkpoints.jsonl"),
    "ERASURE_REGISTER": str(_FOLDER / "erasure-register.jsonl"),
    "TRUSTED_KEYS": json.loads(os.environ.get("STORY_TRUSTED_KEYS", "{}")),
}
