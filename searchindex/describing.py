"""
What stands on a search server under a store's prefix, as a text: indexes, templates and pipelines.

An index stands under the name that applications use, whichever number is behind it. What a template makes
comes and goes with its documents, and an earlier copy of an index says nothing: neither is in the text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from accord.seam.describing import Description, outlined
from accord.seam.undeclared import OWN
from searchindex.definitions import flat_settings
from searchindex.names import Names
from searchindex.transport import Transport, at

Body = Mapping[str, Any]

_COUNTED = re.compile(r"^(?P<name>.+)-\d+$")
# What a server writes into the settings of an index by itself, or a full disk and a moving cluster do.
_OF_THE_SERVER = re.compile(
    r"^index\.(creation_date|uuid|history_uuid|provided_name|version\.|resize\.|verified_before_close"
    r"|blocks\.read_only_allow_delete|routing\.allocation\.(initial_recovery|include\._tier_preference)"
    r"|replication\.type|knn\.derived_source\.enabled)"
)
_EXPANDS = "index.auto_expand_replicas"
_TIMES = frozenset({"created_date", "created_date_millis", "modified_date", "modified_date_millis"})


def describe(transport: Transport, names: Names, ledger: str) -> Description:
    """
    Describe what begins with a store's prefix.

    Args:
        transport: The server.
        names: How the store names things.
        ledger: The ledger's alias.
    """
    found = _Found(transport, names, ledger)
    whole = {
        "indexes": dict(found.described()),
        "templates": found.templates,
        "component_templates": found.components,
        "pipelines": found.pipelines,
    }
    lines = outlined({name: _sorted(part) for name, part in whole.items()})
    return Description(suffix="yaml", comment="# ", text="\n".join(lines) + "\n")


@dataclass(frozen=True)
class _Found:
    """What the server answers; each question is asked once."""

    transport: Transport
    names: Names
    ledger: str

    def described(self) -> Iterator[tuple[str, Body]]:
        """Yield each index with the name that it is known by."""
        behind = Counter(alias for body in self._indexes.values() for alias in body.get("aliases", {}))
        for index, body in self._indexes.items():
            counted = _COUNTED.match(index)
            alias = counted["name"] if counted else ""
            own = alias in body.get("aliases", {})
            if own and behind[alias] == 1:
                yield self._plain(alias), self._index(body, alias)
            elif (own or alias not in behind) and not self._is_of_a_template(index):
                yield self._plain(index), self._index(body)

    def _index(self, body: Body, implied: str = "") -> Body:
        aliases = {
            self._plain(name): definition
            for name, definition in body.get("aliases", {}).items()
            if name != implied or definition
        }
        settings = flat_settings(body.get("settings", {}))
        return {
            "aliases": aliases,
            "mappings": body.get("mappings", {}),
            "settings": {name: self._named(settings[name]) for name in settings if _matters(name, settings)},
        }

    @cached_property
    def _indexes(self) -> Mapping[str, Body]:
        path = f"{at(self.names.prefix + '*')}?expand_wildcards=open,closed&ignore_unavailable=true"
        found = self.transport.find(path) or {}
        return {
            index: body
            for index, body in found.items()
            if self._is_ours(index) and self.ledger not in {index, *body.get("aliases", {})}
        }

    @cached_property
    def templates(self) -> Mapping[str, Body]:
        """Index templates, with the prefix taken off their patterns and aliases."""
        found = self._listed("_index_template", "index_templates", "index_template")
        return {name: self._template(body) for name, body in found.items()}

    @cached_property
    def components(self) -> Mapping[str, Body]:
        """Component templates."""
        return dict(self._listed("_component_template", "component_templates", "component_template"))

    @cached_property
    def pipelines(self) -> Mapping[str, Body]:
        """Ingest pipelines."""
        found = self.transport.find(f"/_ingest/pipeline{at(self.names.prefix + '*')}") or {}
        return {
            self._plain(name): _timeless(body) for name, body in found.items() if self._is_told(name, body)
        }

    def _listed(self, kind: str, many: str, one: str) -> Mapping[str, Body]:
        found = self.transport.find(at(kind, f"{self.names.prefix}*")) or {}
        each = {item["name"]: item[one] for item in found.get(many, ())}
        return {
            self._plain(name): _timeless(body) for name, body in each.items() if self._is_told(name, body)
        }

    def _template(self, body: Body) -> Body:
        inner = dict(body.get("template") or {})
        if inner.get("aliases"):
            inner["aliases"] = {self._plain(name): each for name, each in inner["aliases"].items()}
        if inner.get("settings"):
            settings = flat_settings(inner["settings"])
            inner["settings"] = {name: self._named(value) for name, value in settings.items()}
        composed = {"composed_of": self._each(body["composed_of"])} if body.get("composed_of") else {}
        patterns = sorted(self._each(body.get("index_patterns", ())))
        return {**body, **composed, "index_patterns": patterns, "template": inner}

    def _is_of_a_template(self, index: str) -> bool:
        patterns = (pattern for body in self.templates.values() for pattern in body["index_patterns"])
        return any(fnmatchcase(self._plain(index), pattern) for pattern in patterns)

    def _is_told(self, name: str, body: Body) -> bool:
        return self._is_ours(name) and not (body.get("_meta") or {}).get("managed")

    def _is_ours(self, name: str) -> bool:
        prefix = self.names.prefix
        return name.startswith(prefix) and not name.startswith(".") and not self._plain(name).startswith(OWN)

    def _plain(self, name: str) -> str:
        return name.removeprefix(self.names.prefix)

    def _each(self, names: Iterable[str]) -> list[str]:
        return [self._plain(name) for name in names]

    def _named(self, value: object) -> object:
        """Take the prefix off what a setting names: a pipeline, say."""
        return self._plain(value) if isinstance(value, str) and self.names.prefix else value


def _matters(name: str, settings: Body) -> bool:
    if name == "index.number_of_replicas" and settings.get(_EXPANDS, "false") != "false":
        return False  # as many as there are nodes
    return _OF_THE_SERVER.match(name) is None


def _timeless(body: Body) -> Body:
    return {name: value for name, value in body.items() if name not in _TIMES}


def _sorted(value: Any) -> Any:
    """Sort names at every depth: to the server their order means nothing."""
    if isinstance(value, Mapping):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value
