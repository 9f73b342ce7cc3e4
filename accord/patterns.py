"""What texts in the suite's tables look like, and the constraints that hold them to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import models
from django.db.models import Q

REFERENCE = r"^[0-9a-f]{32}$"
REFERENCE_OR_NONE = r"^([0-9a-f]{32})?$"
DIGEST = r"^[0-9a-f]{64}$"
DIGEST_OR_NONE = r"^([0-9a-f]{64})?$"
KEY_ID = r"^[0-9a-f]{16}$"
KIND = r"^[a-z][a-z0-9_.:]{0,99}$"
SIGNATURE = r"^ed25519:[0-9a-f]{16}:[A-Za-z0-9+/]{86}==$"


def matches(model: str, **patterns: str) -> Iterable[models.CheckConstraint]:
    """Return constraints of a model whose fields match patterns."""
    return [
        models.CheckConstraint(condition=Q(**{f"{field}__regex": pattern}), name=f"accord_{model}_{field}")
        for field, pattern in patterns.items()
    ]


def among(model: str, **words: Sequence[str]) -> Iterable[models.CheckConstraint]:
    """Return constraints of a model whose fields hold words from lists."""
    return [
        models.CheckConstraint(condition=Q(**{f"{field}__in": values}), name=f"accord_{model}_{field}")
        for field, values in words.items()
    ]
