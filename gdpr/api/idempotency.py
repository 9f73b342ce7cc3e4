"""Idempotency keys: the same request sent twice is one request, whoever lost the first answer."""

from __future__ import annotations

import hashlib
import re

from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

HEADER = "Idempotency-Key"
_PATTERN = r"^[A-Za-z0-9._:-]{8,128}$"

PARAMETER = OpenApiParameter(
    HEADER,
    {"type": "string", "pattern": _PATTERN},
    OpenApiParameter.HEADER,
    description="A random text of your own, such as a UUID: sent again, it gives the same request.",
)


def key_of(request: Request) -> str:
    """
    Read the key of a request, bound to the account that sends it: another's can't be guessed at.

    Returns:
        64 hexadecimal digits, or nothing where no key was sent.

    Raises:
        ValidationError: The header is no such key.
    """
    sent = request.headers.get(HEADER)
    if sent is None:
        return ""
    if not re.fullmatch(_PATTERN, sent):
        raise ValidationError({HEADER: ["8 to 128 letters, digits and any of . _ : - are needed."]})
    return hashlib.sha256(f"{request.user.pk}:{sent}".encode()).hexdigest()
