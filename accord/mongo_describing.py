"""What stands in a MongoDB, as a text: for revisions, and for models of Django that are kept in one."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from accord.seam.describing import Description, outlined
from accord.seam.undeclared import OWN

Document = Mapping[str, Any]

_OF_THE_SERVER = "system."
# Which form an index has and which words a collation knows are the server's matter.
_VERSIONS = frozenset({"v", "ns", "textIndexVersion", "2dsphereIndexVersion"})
_VALIDATION = ("validator", "validationLevel", "validationAction")
# Said or not, they are what a validator has: a server writes them down once one is changed, and not before.
_AS_ALWAYS = {"validationLevel": "strict", "validationAction": "error"}


def describe(
    collections: Mapping[str, Document], indexes: Callable[[str], Iterable[Document]], own: Collection[str]
) -> Description:
    """
    Describe a database: its collections with options, validators and indexes, and its views.

    Args:
        collections: Options of each collection and view, as `listCollections` gives them.
        indexes: Gives those of a collection, as `listIndexes` does.
        own: Collections of the suite's own.
    """
    ours = (name for name in collections if name not in own and not name.startswith((*OWN, _OF_THE_SERVER)))
    found = {name: _collection(name, collections[name], indexes) for name in sorted(ours)}
    return Description(suffix="yaml", comment="# ", text="\n".join(outlined({"collections": found})) + "\n")


def _collection(name: str, options: Document, indexes: Callable[[str], Iterable[Document]]) -> Document:
    told = {"options": _plain(_options(options))}
    # A view shows what another collection holds, and has no indexes of its own.
    return told if "viewOn" in options else {**told, "indexes": _indexes(indexes(name))}


def _options(options: Document) -> Document:
    # Without a validator its level and action mean nothing, and servers differ in whether they keep them.
    left_out = () if options.get("validator") else _VALIDATION
    told = {name: options[name] for name in sorted(options) if name not in left_out}
    return {name: value for name, value in told.items() if _AS_ALWAYS.get(name) != value}


def _indexes(indexes: Iterable[Document]) -> Document:
    return {index["name"]: _plain(_index(index)) for index in sorted(indexes, key=lambda each: each["name"])}


def _index(index: Document) -> Document:
    rest = {name: index[name] for name in sorted(index) if name not in _VERSIONS | {"name", "key"}}
    return {"key": index["key"], **rest}


def _plain(value: Document) -> Document:
    """Bring values into what JSON has, as MongoDB's own tools do; what tells two apart stays."""
    from bson import UuidRepresentation, json_util

    options = json_util.RELAXED_JSON_OPTIONS.with_options(uuid_representation=UuidRepresentation.STANDARD)
    plain: dict[str, Any] = json.loads(json_util.dumps(value, json_options=options))
    if "collation" in plain:
        plain["collation"] = {name: each for name, each in plain["collation"].items() if name != "version"}
    return plain
