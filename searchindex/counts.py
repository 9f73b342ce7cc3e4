"""How many documents an index holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accord.errors import StepFailed
from searchindex.context import Context
from searchindex.transport import at


def count(context: Context, index: str) -> int:
    """
    Count the documents of an index, those of the last moment included.

    Raises:
        StepFailed: Not every shard answered, so the number would be a guess.
    """
    _whole(context, index, "_refresh")
    return int(_whole(context, index, "_count")["count"])


def _whole(context: Context, index: str, verb: str) -> Mapping[str, Any]:
    answer: Mapping[str, Any] = context.transport.request("POST", at(index, verb)).body
    if answer["_shards"]["failed"]:
        raise StepFailed(f"Not every shard of {index} answers.", hint="Repair the index, then run again.")
    return answer
