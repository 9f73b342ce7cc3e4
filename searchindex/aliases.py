"""Aliases: reading them, changing them in one atomic call, and reading them back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accord.errors import ConflictingState, StepFailed
from searchindex.requests import Request
from searchindex.transport import Transport, at

Targets = Mapping[str, Mapping[str, Any]]
"""Physical index to the alias's definition on it (filter, routing, is_write_index)."""


@dataclass(frozen=True)
class Aliases:
    """
    The aliases of one server.

    Attributes:
        transport: Connection.
    """

    transport: Transport

    def targets(self, alias: str) -> Targets:
        """Return the indexes behind an alias; none when there is no such alias."""
        # By its name alone: without one, the server looks at every index, and one that is blocked fails all.
        found = self.transport.find(at(alias, "_alias", alias)) or {}
        return {
            index: entry["aliases"][alias]
            for index, entry in found.items()
            if alias in entry.get("aliases", {})
        }

    def behind(self, alias: str) -> str:
        """
        Return the one index behind an alias.

        Raises:
            ConflictingState: There is no such alias, or several indexes are behind it.
        """
        found = sorted(self.targets(alias))
        if len(found) == 1:
            return found[0]
        if not found:
            self.refuse_other(alias)
        there = ", ".join(found) if found else "nothing"
        raise ConflictingState(
            f"One index should be behind the alias {alias}; {there} is.",
            hint="Create the index in an earlier revision, or point the alias at one index.",
        )

    def refuse_other(self, name: str) -> None:
        """
        Check that a name which is no alias belongs to nothing else.

        Raises:
            ConflictingState: It is an index itself, or a data stream.
        """
        there = self.transport.find(f"{at(name)}?filter_path=*.aliases") or {}
        if name in there:
            raise ConflictingState(
                f"{name} is an index itself, and no alias in front of one.",
                hint="Write AdoptIndex for that name in an earlier revision: it becomes an alias, and "
                "the documents stay.",
            )
        if there:
            raise ConflictingState(
                f"{name} is a data stream, and no alias in front of an index.",
                hint="Change what its next index begins with by PutTemplate, and begin that one in RunPython "
                "(client.indices.rollover); revisions change nothing else of a data stream.",
            )

    def of_index(self, index: str) -> Mapping[str, Mapping[str, Any]]:
        """Return the aliases that point at an index, with their definitions."""
        found = self.transport.find(at(index, "_alias")) or {}
        aliases: Mapping[str, Mapping[str, Any]] = found.get(index, {}).get("aliases", {})
        return aliases

    def move(self, old: str, new: str) -> None:
        """
        Move every alias of one index to another, as it is, in one call, and read it back.

        Raises:
            StepFailed: The server says that it was done, and shows something else.
        """
        moves = self.of_index(old)
        if moves:
            self._send(moved(moves, old, new))
        arrived = self.of_index(new)
        if self.of_index(old) or not moves.keys() <= arrived.keys():
            raise StepFailed(
                f"The aliases {sorted(moves)} were moved to {new}; {sorted(arrived)} are there.",
                hint="Somebody else changed them at this moment; run again once nobody does.",
            )

    def set_targets(self, alias: str, wanted: Targets) -> None:
        """
        Point an alias at exactly these indexes, in one call, and read it back.

        Args:
            alias: The alias.
            wanted: What shall be behind it; nothing removes the alias.

        Raises:
            StepFailed: The server says that it was done, and shows something else.
        """
        request = pointed(alias, self.targets(alias), wanted)
        if request is None:
            return
        self._send(request)
        after = self.targets(alias)
        if not same_targets(wanted, after):
            raise StepFailed(
                f"The alias {alias} was moved to {sorted(wanted)}, and points at {sorted(after)}.",
                hint="Somebody else changed it at this moment; run again once nobody does.",
            )

    def _send(self, request: Request) -> None:
        self.transport.request(request.method, request.path, request.body)


def moved(aliases: Mapping[str, Mapping[str, Any]], old: str, new: str) -> Request:
    """Build the one request that moves aliases, with their definitions, from an index to another."""
    pairs = (_move(alias, definition, old, new) for alias, definition in sorted(aliases.items()))
    return Request("POST", "/_aliases", {"actions": [action for pair in pairs for action in pair]})


def pointed(alias: str, before: Targets, wanted: Targets) -> Request | None:
    """Build the one request that points an alias elsewhere; None when it points there already."""
    actions = _actions(alias, before, wanted)
    return Request("POST", "/_aliases", {"actions": actions}) if actions else None


def _move(alias: str, definition: Mapping[str, Any], old: str, new: str) -> Sequence[Mapping[str, Any]]:
    return [
        {"remove": {"index": old, "alias": alias}},
        {"add": {"index": new, "alias": alias, **definition}},
    ]


def _actions(alias: str, before: Targets, wanted: Targets) -> Sequence[Mapping[str, Any]]:
    gone = [{"remove": {"index": index, "alias": alias}} for index in sorted(before) if index not in wanted]
    new = [
        {"add": {"index": index, "alias": alias, **definition}}
        for index, definition in sorted(wanted.items())
        if not same_definition(definition, before.get(index))
    ]
    return [*gone, *new]


def same_targets(one: Targets, other: Targets) -> bool:
    """Return whether an alias points at the same indexes in the same way."""
    return one.keys() == other.keys() and all(same_definition(one[index], other[index]) for index in one)


def same_definition(one: Mapping[str, Any], other: Mapping[str, Any] | None) -> bool:
    """Return whether two definitions of an alias mean the same: `routing` stands for two words."""
    return other is not None and _plain(one) == _plain(other)


def _plain(definition: Mapping[str, Any]) -> Mapping[str, Any]:
    plain = dict(definition)
    if "routing" in plain:
        routing = plain.pop("routing")
        plain.setdefault("index_routing", routing)
        plain.setdefault("search_routing", routing)
    return {name: value for name, value in plain.items() if value is not None and value is not False}
