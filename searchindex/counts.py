"""How many documents an index holds."""

from __future__ import annotations

from accord.errors import StepFailed
from searchindex.context import Context
from searchindex.transport import at
from searchindex.views import is_whole


def count(context: Context, index: str) -> int:
    """
    Count the documents of an index, those of the last moment included.

    Raises:
        StepFailed: Not every shard answered, so the number would be a guess.
    """
    refreshed = context.transport.request("POST", at(index, "_refresh")).body
    counted = context.transport.request("POST", at(index, "_count")).body
    # A copy of a shard may have no place to be refreshed at.
    if refreshed["_shards"]["failed"] or not is_whole(counted):
        raise StepFailed(f"Not every shard of {index} answers.", hint="Repair the index, then run again.")
    return int(counted["count"])
