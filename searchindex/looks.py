"""Looks at a live server for what an operation would meet: what there is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from accord.seam.foretelling import LOOK_SECONDS, Foretold, Outlook
from accord.words import counted
from searchindex.blocks import FLOOD, MAKE_ROOM
from searchindex.context import Context
from searchindex.definitions import Body, flat_settings
from searchindex.transport import ServerResponse, Transport, at

NO_LOCK = "none: readers and writers go on"
"""What stands for a lock where the cluster only gets a new state."""
_LONGEST_NAME = 255  # bytes
_PIPELINES = ("index.default_pipeline", "index.final_pipeline")


class HastyTransport(Transport):
    """Connections on which no answer is waited for longer than a look may take."""

    def request(self, *args: Any, timeout: float = LOOK_SECONDS, **options: Any) -> ServerResponse:
        """Send a request; see :meth:`searchindex.transport.Transport.request`."""
        return super().request(*args, timeout=min(timeout, LOOK_SECONDS), **options)


def told(context: Context, what: str, outlook: Outlook, text: str, hint: str = "", **more: Any) -> Foretold:
    """Make one thing that is foretold of the operation that is looked at."""
    return Foretold(key=context.deployment.key, outlook=outlook, what=what, text=text, hint=hint, **more)


def weight(context: Context, index: str) -> tuple[int, int]:
    """Return how many documents an index has, and the bytes of its primary shards."""
    answer = context.transport.get(f"{at(index, '_stats', 'docs,store')}?filter_path=_all.primaries")
    found = answer.get("_all", {}).get("primaries", {})
    return int(found.get("docs", {}).get("count", 0)), int(found.get("store", {}).get("size_in_bytes", 0))


def size(context: Context, what: str, index: str, text: str, lock: str = NO_LOCK) -> Iterator[Foretold]:
    """Tell how large an index is."""
    rows, amount = weight(context, index)
    line = text.format(counted(rows, "document"))
    yield told(context, what, Outlook.NOTE, line, rows=rows, bytes=amount, lock=lock)


def going(context: Context, what: str, index: str, text: str) -> Foretold:
    """Tell how large an index is that goes; its documents are counted where all that is lost is told."""
    return told(
        context, what, Outlook.NOTE, text, bytes=weight(context, index)[1], lock="none: what uses it fails"
    )


def blocks(context: Context, what: str, index: str) -> Iterator[Foretold]:
    """Tell of blocks that stand on an index."""
    settings = flat_settings((context.index(index) or {}).get("settings", {}))
    standing = [
        name for name, value in settings.items() if name.startswith("index.blocks.") and value == "true"
    ]
    if FLOOD in standing:
        yield told(
            context, what, Outlook.WARNING, f"{index} takes no writes: a disk was full ({FLOOD}).",
            MAKE_ROOM,
        )  # fmt: skip
    elif standing:
        yield told(
            context, what, Outlook.WARNING, f"{index} is blocked already: {', '.join(standing)}.",
            "Somebody set that, or a copy was killed; it stays as it is.",
        )  # fmt: skip


def pipelines(context: Context, what: str, settings: Body) -> Iterator[Foretold]:
    """Warn of ingest pipelines that settings name and the server does not have."""
    flat = flat_settings(settings)
    for name in dict.fromkeys(flat.get(setting) for setting in _PIPELINES):
        if name in (None, "_none"):
            continue
        if context.transport.find(at("_ingest", "pipeline", str(name))) is None:
            yield told(
                context, what, Outlook.WARNING, f"There is no ingest pipeline {name}.",
                "Until there is one, the index refuses every document: make it first.",
            )  # fmt: skip


def long_names(names: Sequence[str]) -> str:
    """Return the first name that is longer than a server takes; empty when none is."""
    return next((name for name in names if len(name.encode()) > _LONGEST_NAME), "")
