"""
What a check of the register found, kept beside it, so that the next one judges only what was added since.

It holds a digest of every byte that was judged. The next check reads these bytes again, which costs little,
and judges every entry anew where a single one has changed. It is signed: whoever can write beside the
register can't say what was found in it, and an old one speaks of the bytes that it was made from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field

from accord.errors import SignatureError
from accord.secrets import signing
from gdpr.register.place import Register

PURPOSE = "accord.erasure.register.checked/1"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """
    What a check found.

    Attributes:
        lines: How many entries it judged, from the first one on.
        digest: SHA-256 of all their bytes.
        done: How many of them say that an erasure is complete.
        keeps: How many still have what leads to a person, by the last day on which they may (UTC, ISO).
    """

    lines: int = 0
    digest: str = ""
    done: int = 0
    keeps: Mapping[str, int] = field(default_factory=dict)


NOTHING = Checkpoint()


def read(register: Register) -> Checkpoint:
    """Return what the last check of a register left; nothing, where we did not write what is there."""
    with suppress(ValueError, TypeError, KeyError, SignatureError):
        text, signature = json.loads(register.note())
        if signing.verify(text.encode(), signature, purpose=PURPOSE) == signing.OURSELVES:
            return Checkpoint(**json.loads(text))
    return NOTHING


def leave(register: Register, found: Checkpoint) -> None:
    """Leave what a check found for the next one, where this user may; without it that one takes longer."""
    text = json.dumps(asdict(found), sort_keys=True)
    line = json.dumps([text, signing.sign(text.encode(), purpose=PURPOSE)])
    register.leave_note(line)
