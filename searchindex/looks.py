"""Looks at a live server for what an operation would meet: how much there is, and how much room."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from accord.seam.foretelling import LOOK_SECONDS, Foretold, Outlook
from accord.words import counted
from searchindex.blocks import FLOOD, MAKE_ROOM
from searchindex.definitions import Body, flat_settings
from searchindex.operations.base import Context
from searchindex.transport import ServerResponse, Transport, at

_LONGEST_NAME = 255  # bytes
_USUAL_WATERMARK = 0.85
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


def size(context: Context, what: str, index: str, text: str, lock: str = "") -> Iterator[Foretold]:
    """Tell how large an index is."""
    rows, amount = weight(context, index)
    line = text.format(counted(rows, "document"))
    yield told(context, what, Outlook.NOTE, line, rows=rows, bytes=amount, lock=lock)


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


def room(context: Context, what: str, needed: int) -> Iterator[Foretold]:
    """Warn where no node has room for a copy below its low watermark."""
    nodes = context.transport.get("/_cat/allocation?format=json&bytes=b&h=disk.avail,disk.total")
    disks = [(int(node["disk.avail"]), int(node["disk.total"])) for node in nodes if node.get("disk.total")]
    reserved = 1 - watermark(_cluster_settings(context))
    if disks and not any(free - needed > total * reserved for free, total in disks):
        yield told(
            context, what, Outlook.WARNING,
            "No node has room for the copy below its low watermark of the disk.",
            "Make room first; above the high one the servers move shards away, at the flood stage they take "
            "no writes.",
            bytes=needed,
        )  # fmt: skip


def _cluster_settings(context: Context) -> Mapping[str, Any]:
    path = "/_cluster/settings?include_defaults=true&flat_settings=true"
    answer = context.transport.get(f"{path}&filter_path=*.cluster.routing.allocation.disk.*")
    found: dict[str, Any] = {}
    for level in ("defaults", "persistent", "transient"):
        found.update(answer.get(level, {}))
    return found


def watermark(settings: Mapping[str, Any]) -> float:
    """Return up to which part of a disk shards are put there; the usual one where it is given in bytes."""
    value = str(settings.get("cluster.routing.allocation.disk.watermark.low", ""))
    try:
        return float(value[:-1]) / 100 if value.endswith("%") else _parted(float(value))
    except ValueError:
        return _USUAL_WATERMARK


def _parted(value: float) -> float:
    return value if 0 < value <= 1 else _USUAL_WATERMARK


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
