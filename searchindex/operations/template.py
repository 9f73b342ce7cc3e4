"""Composable index templates: what new indexes of a pattern begin with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from accord.errors import ConflictingState, InvalidRevision, StepFailed
from accord.seam.foretelling import Foretold
from accord.seam.types import Direction, Statement
from searchindex.context import Context, Deployment
from searchindex.definitions import Body, flat_settings, same_value
from searchindex.looks import pipelines
from searchindex.names import checked
from searchindex.operations.base import Expected, Operation
from searchindex.requests import Request, opaque
from searchindex.transport import RequestRefused, at

LOWEST_PRIORITY = 500
"""The engines' own templates stand below; an equal or lower one might never be used."""

_OWN = frozenset({"index_patterns", "priority", "composed_of", "template"})
_INNER = frozenset({"settings", "mappings", "aliases"})
# Servers write these themselves, and take none from us.
_OF_THE_SERVER = frozenset({"created_date", "created_date_millis", "modified_date", "modified_date_millis"})


@dataclass(frozen=True)
class PutTemplate(Operation):
    """
    Write an index template; undoing puts the former one back, or removes it.

    Attributes:
        name: Its name.
        index_patterns: Names of indexes that it is for, with asterisks; the store's prefix
            is put in front.
        template: `mappings`, `settings` and `aliases` of new indexes.
        priority: Of several that fit, the highest is used; 500 or more.
        composed_of: Component templates to begin with.
        more: Further parts, as in the server's documentation: `data_stream`, `version`, `_meta`. A part
            that is there and not declared stops the step; None takes it out.
    """

    needs_saved = True
    meets_documents = False

    name: str
    index_patterns: Sequence[str]
    template: Body = field(default_factory=dict)
    priority: int = LOWEST_PRIORITY
    composed_of: Sequence[str] = ()
    more: Body = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what a server would take and never use."""
        checked(self.name, "index template")
        if self.priority < LOWEST_PRIORITY:
            raise InvalidRevision(
                f"The template “{self.name}” has priority {self.priority}.",
                hint=f"Use {LOWEST_PRIORITY} or more: the engines' own templates stand below.",
            )
        if isinstance(self.index_patterns, str) or not self.index_patterns:
            raise InvalidRevision(
                f"The template “{self.name}” names no patterns.", hint='Write them as ["plays-*"].'
            )
        if twice := sorted(_OWN & self.more.keys()):
            raise InvalidRevision(
                f"The template “{self.name}” says {', '.join(twice)} in `more`.",
                hint=f"Write {twice[0]} as an argument of PutTemplate.",
            )

    @property
    def title(self) -> str:
        return f"put template {self.name}"

    def capture(self, context: Context) -> Mapping[str, Any]:
        before = live_template(context, self.name)
        self._refuse_loss(before or {})
        return {"before": before}

    def apply(self, context: Context) -> int:
        return _write(context, self.name, self._body(context.deployment))

    def revert(self, context: Context) -> int:
        return _restore(context, self.name)

    def left_something(self, context: Context, *, begun: bool) -> bool:
        """Look whether the template is another one than before."""
        return begun and _changed(context, self.name)

    def requests(self, deployment: Deployment, direction: Direction) -> Iterator[Request | Statement]:
        alias = deployment.alias(self.name)
        if direction is Direction.APPLY:
            yield _put(alias, self._body(deployment))
        else:
            yield opaque(
                f"PUT {_path(alias)} with the template that the ledger kept, or DELETE if there was none."
            )

    def expect(self, deployment: Deployment, expected: Expected) -> Iterator[tuple[str, str]]:
        key = ("template", self.name)
        expected.objects[key] = self._body(deployment)
        yield key

    @property
    def concerns(self) -> frozenset[str]:
        return frozenset({f"template {self.name}", "templates"})

    @property
    def looks_at(self) -> frozenset[str]:
        return frozenset({f"template {self.name}"})

    def foretell(self, context: Context, direction: Direction) -> Iterator[Foretold]:
        if direction is Direction.REVERT:
            return
        self.capture(context)
        body = self._body(context.deployment)
        path = at("_index_template", "_simulate", context.deployment.alias(self.name))
        try:
            # The server reads it, and keeps nothing.
            context.send(Request("POST", path, body))
        except RequestRefused as exc:
            raise _refused(self.name, exc) from exc
        yield from pipelines(context, self.title, body.get("template", {}).get("settings", {}))

    def _refuse_loss(self, live: Mapping[str, Any]) -> None:
        """Refuse to take out what the revision does not speak of."""
        spoken = {**self.more, **{f"template.{part}": value for part, value in self.template.items()}}
        lost = ", ".join(part for part in _parts(live) if part not in spoken)
        if lost:
            raise ConflictingState(
                f"The template {self.name} exists, and holds {lost}, which the revision does not declare.",
                hint='Declare it, as in PutTemplate(..., more={"version": 3}); None takes a part out.',
            )

    def _body(self, deployment: Deployment) -> dict[str, Any]:
        template = {part: value for part, value in self.template.items() if value is not None}
        mappings = template.get("mappings", {})
        if mappings:
            template["mappings"] = deployment.mappings(mappings)
        settings = deployment.settings(template.get("settings", {}), mappings)
        if settings:
            template["settings"] = settings
        if template.get("aliases"):
            template["aliases"] = {deployment.alias(name): body for name, body in template["aliases"].items()}
        patterns = [deployment.alias(pattern) for pattern in self.index_patterns]
        more = {part: value for part, value in self.more.items() if value is not None}
        body = {**more, "index_patterns": patterns, "priority": self.priority, "template": template}
        return {**body, "composed_of": list(self.composed_of)} if self.composed_of else body


@dataclass(frozen=True)
class DeleteTemplate(Operation):
    """
    Remove an index template; undoing puts it back.

    Attributes:
        name: Its name.
    """

    needs_saved = True

    name: str

    @property
    def title(self) -> str:
        return f"delete template {self.name}"

    def capture(self, context: Context) -> Mapping[str, Any]:
        before = live_template(context, self.name)
        if before is None:
            context.note(f"There is no template {context.deployment.alias(self.name)} to delete.")
        return {"before": before}

    def apply(self, context: Context) -> int:
        return context.remove(_delete(context.deployment.alias(self.name)))

    def revert(self, context: Context) -> int:
        return _restore(context, self.name)

    def left_something(self, context: Context, *, begun: bool) -> bool:
        """Look whether the template is another one than before."""
        return begun and _changed(context, self.name)

    def requests(self, deployment: Deployment, direction: Direction) -> Iterator[Request | Statement]:
        alias = deployment.alias(self.name)
        if direction is Direction.APPLY:
            yield _delete(alias)
        else:
            yield opaque(f"PUT {_path(alias)} with the template that the ledger kept.")

    def expect(self, deployment: Deployment, expected: Expected) -> Iterator[tuple[str, str]]:
        key = ("template", self.name)
        expected.objects[key] = None
        yield key


def live_template(context: Context, name: str) -> Mapping[str, Any] | None:
    """Return a template as the server has it, or None."""
    alias = context.deployment.alias(name)
    found = context.transport.find(at("_index_template", alias)) or {}
    matching = (item for item in found.get("index_templates", ()) if item["name"] == alias)
    body: Mapping[str, Any] | None = next((item["index_template"] for item in matching), None)
    return body


def same_template(one: Mapping[str, Any], other: Mapping[str, Any] | None) -> bool:
    """Return whether two templates mean the same, in all their parts."""
    if other is None or _plain(one) != _plain(other):
        return False
    ours, theirs = _parts(one), _parts(other)
    return ours.keys() == theirs.keys() and all(same_value(ours[part], theirs[part]) for part in ours)


def template_differences(declared: Mapping[str, Any], live: Mapping[str, Any]) -> Sequence[str]:
    """Name the parts in which a template differs; a part that only the live one has is such a part."""
    ours = {**_plain(declared), **_parts(declared)}
    theirs = {**_plain(live), **_parts(live)}
    differing = [f"{part} differs" for part in ours if not same_value(ours[part], theirs.get(part))]
    return [*differing, *(f"{part} is there and not declared" for part in theirs if part not in ours)]


def _plain(template: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = template.get("template") or {}
    return {
        "patterns": sorted(template.get("index_patterns", ())),
        "priority": template.get("priority", 0),
        "composed_of": list(template.get("composed_of", ())),
        "settings": flat_settings(inner.get("settings") or {}),
        "mappings": inner.get("mappings") or {},
        "aliases": inner.get("aliases") or {},
    }


def _parts(template: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the other parts, whatever they are called: a server adds defaults inside them, and no part."""
    inner = template.get("template") or {}
    outer = {part: value for part, value in template.items() if part not in _OWN | _OF_THE_SERVER}
    return {**outer, **{f"template.{part}": inner[part] for part in inner if part not in _INNER}}


def _write(context: Context, name: str, body: Mapping[str, Any]) -> int:
    if same_template(body, live_template(context, name)):
        return 0
    try:
        context.send(_put(context.deployment.alias(name), body))
    except RequestRefused as exc:
        raise _refused(name, exc) from exc
    return 1


def _refused(name: str, exc: RequestRefused) -> StepFailed:
    return StepFailed(
        f"The server refuses the template {name}: {exc.reason}.",
        hint=exc.hint or "Correct the revision, then run again.",
    )


def _restore(context: Context, name: str) -> int:
    before = context.saved["before"]
    if before is None:
        return context.remove(_delete(context.deployment.alias(name)))
    return _write(context, name, before)


def _changed(context: Context, name: str) -> bool:
    before, live = context.saved["before"], live_template(context, name)
    return live is not None if before is None else not same_template(before, live)


def _put(alias: str, body: Mapping[str, Any]) -> Request:
    return Request("PUT", _path(alias), body)


def _delete(alias: str) -> Request:
    return Request("DELETE", _path(alias))


def _path(alias: str) -> str:
    return at("_index_template", alias)
