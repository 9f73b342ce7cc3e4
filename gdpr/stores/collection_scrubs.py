"""Scrubbing collections of MongoDB: free blocks given back, and a checkpoint, which ends the journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymongo.database import Database
from pymongo.errors import OperationFailure

from gdpr.stores.scrubs import Refusal, ScrubAct, Scrubbed

_UNAUTHORIZED = 13
_NO_COLLECTION = 26


def scrub(database: Database[dict[str, Any]], collections: Sequence[str]) -> list[Scrubbed]:
    """
    Scrub collections, and write a checkpoint.

    Args:
        database: Where they are.
        collections: Their names. Those that aren't there need nothing; with files of GridFS go their chunks.
    """
    there = set(database.list_collection_names())
    chunks = [name.removesuffix(".files") + ".chunks" for name in collections if name.endswith(".files")]
    acts = [
        # On a primary it has to be forced; since MongoDB 4.4 it stops no reads and writes there.
        _done(database, {"compact": name, "force": True}, ScrubAct.COMPACT, name)
        for name in dict.fromkeys([*collections, *chunks])
        if name in there
    ]
    return [*acts, _done(database.client.admin, {"fsync": 1}, ScrubAct.CHECKPOINT)]


def _done(
    database: Database[dict[str, Any]], command: dict[str, Any], act: ScrubAct, target: str = ""
) -> Scrubbed:
    try:
        database.command(command)
    except OperationFailure as exc:
        if exc.code == _NO_COLLECTION:
            return Scrubbed(act=act, target=target)
        refusal = Refusal.RIGHT if exc.code == _UNAUTHORIZED else Refusal.ENGINE
        return Scrubbed(act=act, target=target, refusal=refusal)
    return Scrubbed(act=act, target=target)
