"""Copying an index into a new one, and moving its aliases there in one call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accord.erased.subject_key import check_pair
from accord.errors import ConflictingState, InvalidRevision
from accord.revisions.entry import Facts
from accord.seam.foretelling import Foretold, Outlook
from accord.seam.types import Direction, Statement
from searchindex.aliases import moved
from searchindex.context import Context, Deployment
from searchindex.definitions import Body, flat_settings
from searchindex.fields import holds_vector
from searchindex.names import checked
from searchindex.operations.base import Expected, Operation, conflict
from searchindex.operations.index import index_differences, try_new
from searchindex.reindex.marks import found_mark, mark_of, unmarked
from searchindex.reindex.strategy import Copy
from searchindex.requests import Request, behind, opaque
from searchindex.transport import at

_VERIFY = {"content": "number and content of the documents", "counts": "the number of documents"}
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
            being erased, then stay behind (:mod:`accord.erased.tombstones`); for that, every document
            passes through this process, which takes longer than a copy on the server.
        verify: What is compared before the alias moves: `content` reads both indexes and compares every
            document; `counts` compares their numbers alone.
    """

    needs_saved = True

    name: str
    mappings: Body | None = None
    settings: Body | None = None
    strategy: str = "block"
    subject: tuple[str, str] | None = None
    verify: str = "content"

    def __post_init__(self) -> None:
        """Refuse a name that no server takes, and words that mean nothing."""
        checked(self.name)
        check_pair(self.subject, "a Reindex")
        if self.strategy != "block":
            raise InvalidRevision(
                f"Reindex has no strategy “{self.strategy}”.", hint="It has this one: block."
            )
        if self.verify not in _VERIFY:
            raise InvalidRevision(
                f"Reindex can't verify “{self.verify}”.", hint=f"It can these: {', '.join(_VERIFY)}."
            )

    @property
    def makes(self) -> str:
        return self.name

    @property
    def title(self) -> str:
        return f"reindex {self.name}"

    def capture(self, context: Context) -> Mapping[str, Any]:
        from searchindex.reindex.block import is_blocked
        from searchindex.reindex.sources import refuse_closed, refuse_partial

        target = context.deployment.physical(self.name)
        source = context.aliases.behind(context.deployment.alias(self.name))
        if context.index(target) is not None:
            raise ConflictingState(
                f"The index {target}, which this revision would make, exists.",
                hint="Remove it if nothing needs it; or, if the alias points at it already, adopt it: "
                f"migrate_all --baseline --step {context.deployment.key}",
            )
        live = context.index(source) or {}
        refuse_closed(source, live)
        refuse_partial(source, live)
        return {"source": source, "target": target, "blocked": is_blocked(context, source)}

    def apply(self, context: Context) -> int:
        from searchindex.reindex.block import BlockWrites

        source, target = context.saved["source"], context.deployment.physical(self.name)
        copy = self._copy(context, self._definition(context, source))
        if context.aliases.behind(context.deployment.alias(self.name)) == target:
            self._refuse_edited(context, copy)
            _take_mark_off(context, target)
            return 0
        copied = BlockWrites()(context, copy)
        context.lease.check()
        context.aliases.move(source, target)
        _take_mark_off(context, target)
        return copied

    def revert(self, context: Context) -> int:
        from searchindex.reindex.block import BlockWrites

        source, target = context.saved["source"], context.deployment.physical(self.name)
        if context.aliases.of_index(target):
            context.note(
                f"What was written to {target} since the alias moved is not copied back to {source}."
            )
            context.aliases.move(target, source)
        BlockWrites().abandon(context, self._copy(context, {}))
        return context.remove(Request("DELETE", at(target)))

    holder = "index"

    def drops(self, saved: Facts, place: Deployment, direction: Direction) -> Sequence[str]:
        return [place.physical(self.name)] if direction is Direction.REVERT else []

    def left_something(self, context: Context, *, begun: bool) -> bool:
        """Look whether the new index stands, or the old one still refuses writes."""
        from searchindex.reindex.block import is_blocked

        if not begun:
            return False
        made = context.index(context.deployment.physical(self.name)) is not None
        return made or (not context.saved["blocked"] and is_blocked(context, context.saved["source"]))

    @property
    def concerns(self) -> frozenset[str]:
        return frozenset({self.name})

    @property
    def looks_at(self) -> frozenset[str]:
        # A template that an earlier step writes may bring an analyzer that the index needs.
        return self.concerns | {"templates"}

    def foretell(self, context: Context, direction: Direction) -> Iterator[Foretold]:
        if direction is Direction.REVERT:
            return
        from searchindex import looks, room

        source = self.capture(context)["source"]
        definition = self._definition(context, source)
        try_new(context, self.name, definition["mappings"], definition["settings"])
        yield from looks.blocks(context, self.title, source)
        yield from looks.pipelines(context, self.title, definition["settings"])
        yield from room.warned(context, self.title, looks.weight(context, source)[1])
        text = "{} are copied; the index takes no writes meanwhile."
        yield from looks.size(context, self.title, source, text, "index.blocks.write")
        if self.mappings is not None:
            text = "Whether each document fits the new mapping shows while it is copied."
            yield looks.told(context, self.title, Outlook.UNKNOWN, text)

    def _copy(self, context: Context, definition: Mapping[str, Any]) -> Copy:
        return Copy(
            source=context.saved["source"],
            target=context.deployment.physical(self.name),
            definition=definition,
            blocked_before=context.saved["blocked"],
            subject=self.subject,
            mark=mark_of(definition, self.subject),
            verify=self.verify,
        )

    def _refuse_edited(self, context: Context, copy: Copy) -> None:
        """Refuse to record what an earlier form of this operation left behind the alias."""
        live = context.index(copy.target) or {}
        mark = found_mark(live)
        differences = ["the operation was edited after the alias had moved"] if mark else []
        if not mark:
            declared = self._declared(context.deployment)
            parts = declared.get("mappings", {}), declared.get("settings", {})
            differences = list(index_differences(context, *parts, live))
        if differences and mark != copy.mark:
            raise conflict(f"The index {copy.target}", differences)

    def requests(self, deployment: Deployment, direction: Direction) -> Iterator[Request | Statement]:
        from searchindex.reindex import block

        alias = deployment.alias(self.name)
        old, new = behind(alias), deployment.physical(self.name)
        if direction is Direction.REVERT:
            yield moved({alias: {}}, new, old)
            yield block.unblocked(old)
            yield Request("DELETE", at(new))
            return
        copy = Copy(source=old, target=new, definition=self._declared(deployment), subject=self.subject)
        yield block.blocked(old)
        yield block.created(copy)
        yield from _shown_copies(deployment, copy, self.mappings)
        yield opaque(f"Compares {_VERIFY[self.verify]} of {old} and {new}.")
        yield opaque(f"Puts the pipelines of its settings on {new}, if there are any.")
        yield moved({alias: {}}, old, new)

    def expect(self, deployment: Deployment, expected: Expected) -> Iterator[tuple[str, str]]:
        key = ("index", self.name)
        expected.objects[key] = {**(expected.objects.get(key) or {}), **self._declared(deployment)}
        yield key

    def _declared(self, deployment: Deployment) -> dict[str, Any]:
        declared: dict[str, Any] = {}
        if self.mappings is not None:
            declared["mappings"] = deployment.mappings(self.mappings)
        if self.settings is not None or (
            self.mappings is not None and deployment.settings({}, self.mappings)
        ):
            declared["settings"] = deployment.settings(self.settings or {}, self.mappings or {})
        return declared

    def _definition(self, context: Context, source: str) -> Mapping[str, Any]:
        live = context.index(source) or {}
        declared = self._declared(context.deployment)
        settings = _kept(live.get("settings", {}))
        if self.settings is not None:
            settings = declared["settings"]
        else:
            settings = {**settings, **declared.get("settings", {})}
        return {"mappings": declared.get("mappings", live.get("mappings", {})), "settings": settings}


def _take_mark_off(context: Context, index: str) -> None:
    request = unmarked(index, context.index(index) or {})
    if request is not None:
        context.send(request)


def _shown_copies(deployment: Deployment, copy: Copy, mappings: Body | None) -> Iterator[Request | Statement]:
    from searchindex.reindex.server import started

    engine = deployment.engine
    by_server = engine is None or engine.features.server_side_reindex
    # Such an engine needs settings for vectors, and may not bear that it copies them by itself.
    wary = engine is not None and bool(engine.vector_settings)
    if by_server and copy.subject is None and not (wary and mappings and holds_vector(mappings)):
        yield started(copy)
        if wary and mappings is None:
            yield opaque(f"Or, where {copy.source} holds vectors, without _reindex: {_by_client(copy)}")
        return
    yield opaque(_by_client(copy))


def _by_client(copy: Copy) -> str:
    kind, path = copy.subject or ("", "")
    whose = f", without those of erased people ({kind} by {path})" if copy.subject else ""
    return (
        f"Reads {copy.source} page by page in one frozen view, and writes the documents to {copy.target} "
        f"by POST /_bulk, with their versions{whose}."
    )


def _kept(settings: Body) -> dict[str, Any]:
    """Leave out the settings that a server writes itself, and the block that copying needs."""
    flat = flat_settings(settings)
    return {name: value for name, value in flat.items() if not name.startswith(_OF_THE_OLD_INDEX_ALONE)}
