"""What a cluster has room for: shards, and disks below their watermarks. Read, and nothing is changed."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Mapping
from typing import Any

from accord.errors import StepFailed
from accord.seam.foretelling import Foretold, Outlook
from searchindex.context import Context
from searchindex.definitions import Body, flat_settings
from searchindex.looks import told

_DISK = "cluster.routing.allocation.disk."
_SHARDS = "cluster.max_shards_per_node"
_POWERS = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40, "p": 50}
_AMOUNT = re.compile(r"^(\d+(?:\.\d+)?)\s*([kmgtp]?)b?$")


class Watermark(enum.StrEnum):
    """Marks of a disk, the lowest first, each with what happens to a node above it."""

    LOW = "low"
    HIGH = "high"
    FLOOD = "flood_stage"

    @property
    def words(self) -> str:
        """Return its name and what happens above it."""
        return _ABOVE[self]


_ABOVE = {
    Watermark.LOW: "low watermark of its disk: no replica is put there",
    Watermark.HIGH: "high watermark of its disk: no new shard comes, and others move away",
    Watermark.FLOOD: "flood stage of its disk: writes to every index with a shard there are blocked",
}
_ALONE = "enable_for_single_data_node"
"""Where it is off, one node alone gets shards until the flood stage."""
_USUAL = {Watermark.LOW: "85%", Watermark.HIGH: "90%", Watermark.FLOOD: "95%"}


def warned(context: Context, what: str, needed: int) -> Iterator[Foretold]:
    """
    Warn where every node would be above a watermark of its disk with a copy of some bytes.

    Args:
        context: Connection.
        what: The operation.
        needed: Bytes of the copy.
    """
    nodes = context.transport.get("/_cat/allocation?format=json&bytes=b&h=disk.avail,disk.total")
    disks = [(int(node["disk.avail"]), int(node["disk.total"])) for node in nodes if node.get("disk.total")]
    settings = _settings(context, _DISK.removesuffix("."))
    if not disks or str(settings.get(f"{_DISK}threshold_enabled", "true")) == "false":
        return
    # Of the nodes, the one with the most room counts: there the copy would go.
    passed = min((above(settings, free - needed, total) for free, total in disks), key=len)
    alone = len(disks) == 1 and str(settings.get(f"{_DISK}watermark.{_ALONE}", "true")) == "false"
    if passed and (not alone or Watermark.FLOOD in passed):
        yield told(
            context,
            what,
            Outlook.WARNING,
            f"With the copy, no node would be below the {passed[-1].words}.",
            "Make room, or add a node; DropIndex with a number deletes what an earlier copy left.",
            bytes=needed,
        )


def above(settings: Mapping[str, Any], free: int, total: int) -> list[Watermark]:
    """
    Return the watermarks that a disk is above.

    Args:
        settings: Of the cluster, by their full names.
        free: Bytes that are free.
        total: Bytes of the disk.
    """
    return [mark for mark in Watermark if free < kept_free(settings, mark, total)]


def kept_free(settings: Mapping[str, Any], mark: Watermark, total: int) -> float:
    """Return how many bytes of a disk have to be free for it to be below a watermark."""
    name = f"{_DISK}watermark.{mark}"
    value = str(settings.get(name, "")).strip().lower()
    amount = _bytes(value)
    if amount is not None and not (value.replace(".", "", 1).isdigit() and amount <= 1):
        return amount
    free = total * (1 - _ratio(value or _USUAL[mark]))
    headroom = _bytes(str(settings.get(f"{name}.max_headroom", "")).strip().lower())
    return free if headroom is None else min(free, headroom)


def _ratio(value: str) -> float:
    try:
        return float(value.removesuffix("%")) / (100 if value.endswith("%") else 1)
    except ValueError:
        return float(_USUAL[Watermark.LOW].removesuffix("%")) / 100


def _bytes(value: str) -> float | None:
    found = _AMOUNT.match(value)
    return None if found is None else float(found[1]) * 2 ** _POWERS[found[2]]


def refuse_too_many(context: Context, index: str, settings: Body) -> None:
    """
    Refuse an index with more shards than the cluster may have open.

    Args:
        context: Connection.
        index: The physical index that would be made.
        settings: Its settings, with what templates bring.

    Raises:
        StepFailed: The cluster would refuse it.
    """
    flat = flat_settings(settings)
    # Where the server sets the number of copies itself, none is counted: what is sure is told alone.
    expands = str(flat.get("index.auto_expand_replicas") or "false") != "false"
    copies = 0 if expands else _number(flat.get("index.number_of_replicas"))
    wanted = _number(flat.get("index.number_of_shards")) * (1 + copies)
    per_node = _number(_settings(context, _SHARDS).get(_SHARDS), usual=1000)
    nodes = context.transport.get("/_cluster/health?filter_path=number_of_data_nodes")
    most = per_node * max(int(nodes.get("number_of_data_nodes", 1)), 1)
    if per_node > 0 and (standing := _open_shards(context)) + wanted > most:
        raise StepFailed(
            f"The index {index} has {wanted} shards; of {most} that may be open {standing} are.",
            hint=f"Delete or close indexes that nobody needs, add a node, or raise {_SHARDS}.",
        )


def _open_shards(context: Context) -> int:
    path = "/_cat/indices?format=json&h=status,pri,rep&expand_wildcards=all"
    indexes = context.transport.get(path)
    return sum(
        _number(index.get("pri")) * (1 + _number(index.get("rep"), usual=0))
        for index in indexes
        if index.get("status") == "open"
    )


def _number(value: object, usual: int = 1) -> int:
    text = str(value)
    return int(text) if text.lstrip("-").isdigit() else usual


def _settings(context: Context, pattern: str) -> Mapping[str, Any]:
    # Nested: names with dots are none to `filter_path`.
    answer = context.transport.get(f"/_cluster/settings?include_defaults=true&filter_path=*.{pattern}")
    found: dict[str, Any] = {}
    for level in ("defaults", "persistent", "transient"):
        found.update(flat_settings(answer.get(level, {})))
    return {name.removeprefix("index."): value for name, value in found.items()}
