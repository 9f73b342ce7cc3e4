"""Reading an index, all of it as it was at one moment."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

from accord import clock
from accord.errors import UsageError
from accord.seam.bulk import FileFormat, Selection, Slice
from searchindex.bulk.lines import written
from searchindex.engines.base import Engine
from searchindex.transport import Transport, at
from searchindex.views import pages


class IndexReading:
    """
    An index that is being read.

    Args:
        transport: Connection.
        engine: What answers there.
        index: Physical index.
        selection: What is read.
        form: How it is written.
    """

    def __init__(
        self, transport: Transport, engine: Engine, index: str, selection: Selection, form: FileFormat
    ) -> None:
        self.snapshot = f"point in time of {clock.now().isoformat(timespec='milliseconds')}"
        self._transport = transport
        self._engine = engine
        self._index = index
        self._selection = selection
        self._form = form
        self._query = _query(selection.query)

    def slices(self, rows: int) -> Sequence[Slice]:
        """Leave the index whole: a point in time is read from its beginning to its end."""
        return [Slice()]

    def head(self, one: Slice, rows: int) -> Slice:
        """
        Refuse it.

        Raises:
            UsageError: Always. What has no place in an order of keys can't be gone on with.
        """
        raise UsageError(
            f"{self._selection.holder.name} is an index, which is read as a whole, and no batch at a time.",
            hint="Copy what the index is made from; or export the index, and import the files.",
        )

    def read(self, one: Slice, out: BinaryIO) -> int:
        """Send all of it."""
        self._transport.request("POST", at(self._index, "_refresh"))
        names = [column.name for column in self._selection.columns]
        rows = 0
        for page in pages(self._transport, self._engine, self._index, self._query):
            out.writelines(written(hit, self._form, names, self._selection.without) for hit in page)
            rows += len(page)
        return rows


def _query(text: str) -> Mapping[str, Any]:
    if not text:
        return {"match_all": {}}
    try:
        found = json.loads(text)
    except ValueError as exc:
        raise UsageError(
            "The query is no JSON.", hint='--query takes a query of the server: {"term": {"country": "CH"}}.'
        ) from exc
    if not isinstance(found, dict):
        raise UsageError("The query is no object.", hint="--query takes a query of the server.")
    return found
