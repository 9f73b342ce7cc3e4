"""Copying an index into a new one, and moving its aliases there in one call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from accord.errors import ConflictingState, InvalidRevision
from accord.subject_key import check_pair
from accord.types import Direction, Language, Statement
from searchindex.definitions import Body, flat_settings
from searchindex.names import checked
from searchindex.operations.base import Context, Expected, Operation, Surroundings, request
from searchindex.transport import at

_OF_THE_OLD_INDEX_ALONE = (
    "index.blocks.",
    "index.creation_date",
    "index.history_uuid",
    "index.provided_name",
    "index.replication.type",
    "index.resize.",
    "index.routing.allocation.initial_recovery.",
    "index.uuid",
    "index.verified_",
    "index.version.",
)


@dataclass(frozen=True)
class Reindex(Operation):
    """
    Make a new index, copy every document, move all aliases; the old index is kept.

    Attributes:
        name: The alias.
        mappings: Of the new index; None keeps those that are live.
        settings: Of the new index; None keeps those that are live.
        strategy: `block`: the old index refuses writes while it is copied.
        subject: Whose the documents are: kind of person and path of their key, such as
            `("streaming.listener", "listener_id")`. Documents of people who were erased, or are
            being erased, then stay behind (:mod:`accord.tombstones`); for that, every document
            passes through this process, which takes longer than a copy on the server.
    """

    needs_saved: ClassVar[bool] = True

    name: str
    mappings: Body | None = None
    settings: Body | None = None
    strategy: str = "block"
    subject: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        """Refuse a name that no server takes, and a strategy that does not exist."""
        checked(self.name)
        check_pair(self.subject, "a Reindex")
        if self.strategy != "block":
            raise InvalidRevision(
                f"Reindex has no strategy “{self.strategy}”.", hint="It has this one: block."
            )

    @property
    def makes(self) -> str:
        return self.name

    @property
    def title(self) -> str:
        return f"reindex {self.name}"

    def capture(self, context: Context) -> Mapping[str, Any]:
        from searchindex.reindex.block import is_blocked

        target = context.around.physical(self.name)
        source = context.aliases.behind(context.around.alias(self.name))
        if context.index(target) is not None:
            raise ConflictingState(
                f"The index {target}, which this revision would make, exists.",
                hint="Remove it if nothing needs it, or adopt what is there with --baseline.",
            )
        return {"source": source, "blocked": is_blocked(context, source)}

    def apply(self, context: Context) -> int:
        from searchindex.reindex.block import BlockWrites
        from searchindex.reindex.strategy import Copy

        source, target = context.saved["source"], context.around.physical(self.name)
        if context.aliases.behind(context.around.alias(self.name)) == target:
            return 0
        definition = self._definition(context, source)
        blocked = context.saved["blocked"]
        copy = Copy(
            source=source,
            target=target,
            definition=definition,
            blocked_before=blocked,
            subject=self.subject,
        )
        copied = BlockWrites()(context, copy)
        context.lease.check()
        context.aliases.move(source, target)
        return copied

    def revert(self, context: Context) -> int:
        from searchindex.reindex.block import BlockWrites
        from searchindex.reindex.strategy import Copy

        source, target = context.saved["source"], context.around.physical(self.name)
        if context.aliases.of_index(target):
            context.note(
                f"What was written to {target} since the alias moved is not copied back to {source}."
            )
            context.aliases.move(target, source)
        copy = Copy(source=source, target=target, definition={}, blocked_before=context.saved["blocked"])
        BlockWrites().abandon(context, copy)
        answer = context.wire.request("DELETE", at(target), accept=(404,))
        return int(answer.status < 400)  # noqa: PLR2004 - HTTP's border between done and error

    def explain(self, around: Surroundings, direction: Direction) -> Iterator[Statement]:
        old, new = f"<index behind {around.alias(self.name)}>", around.physical(self.name)
        if direction is Direction.REVERT:
            yield request("POST", "/_aliases", {"actions": _moves(around.alias(self.name), new, old)})
            yield request("DELETE", at(new))
            return
        yield request("PUT", f"/{old}/_block/write")
        yield request("PUT", at(new), self._declared(around))
        yield _shown_copy(around, old, new, self.subject)
        yield Statement(
            text=f"Compares the number of documents of {old} and {new}.", language=Language.HTTP, opaque=True
        )
        yield request("POST", "/_aliases", {"actions": _moves(around.alias(self.name), old, new)})

    def foresee(self, around: Surroundings, expected: Expected) -> Iterator[tuple[str, str]]:
        key = ("index", self.name)
        expected.objects[key] = {**(expected.objects.get(key) or {}), **self._declared(around)}
        yield key

    def _declared(self, around: Surroundings) -> dict[str, Any]:
        declared: dict[str, Any] = {}
        if self.mappings is not None:
            declared["mappings"] = around.mappings(self.mappings)
        if self.settings is not None or (self.mappings is not None and around.settings({}, self.mappings)):
            declared["settings"] = around.settings(self.settings or {}, self.mappings or {})
        return declared

    def _definition(self, context: Context, source: str) -> Mapping[str, Any]:
        live = context.index(source) or {}
        declared = self._declared(context.around)
        settings = _kept(live.get("settings", {}))
        if self.settings is not None:
            settings = declared["settings"]
        else:
            settings = {**settings, **declared.get("settings", {})}
        return {"mappings": declared.get("mappings", live.get("mappings", {})), "settings": settings}


def _shown_copy(around: Surroundings, old: str, new: str, subject: tuple[str, str] | None) -> Statement:
    by_server = around.engine is None or around.engine.features.server_side_reindex
    if by_server and subject is None:
        body = {"conflicts": "proceed", "source": {"index": old}, "dest": {"index": new, "op_type": "create"}}
        return request("POST", "/_reindex?wait_for_completion=false", body)
    text = f"Reads {old} page by page in one frozen view, and creates the documents in {new} by POST /_bulk"
    text += f", without those of erased people ({subject[0]} by {subject[1]})." if subject else "."
    return Statement(text=text, language=Language.HTTP, opaque=True)


def _kept(settings: Body) -> dict[str, Any]:
    """Leave out the settings that a server writes itself, and the block that copying needs."""
    flat = flat_settings(settings)
    return {name: value for name, value in flat.items() if not name.startswith(_OF_THE_OLD_INDEX_ALONE)}


def _moves(alias: str, old: str, new: str) -> list[Mapping[str, Any]]:
    return [{"remove": {"index": old, "alias": alias}}, {"add": {"index": new, "alias": alias}}]
