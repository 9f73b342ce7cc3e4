"""Rendering of values and calls as mongosh would read them: what a dry run shows to people."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from accord.seam.types import Language, Statement

_IDENTIFIER = re.compile(r"^[A-Za-z_$][A-Za-z0-9_$]*$")
_WIDTH = 100

Request = Mapping[str, Any] | Statement
"""What an operation sends: a command of the server, or a sentence about what can't be shown."""


def opaque(text: str) -> Statement:
    """Make a statement of a sentence about something that can't be shown."""
    return Statement(text=text, language=Language.PYTHON, opaque=True)


def statements(request: Request) -> Sequence[Statement]:
    """
    Render a command as a person would type it.

    Args:
        request: A command as it is sent, or a statement that stands for what can't be shown as one.
    """
    if isinstance(request, Statement):
        return [request]
    return [Statement(text=text, language=Language.MONGO) for text in _texts(request)]


def _texts(command: Mapping[str, Any]) -> Sequence[str]:
    (name, target), *rest = command.items()
    options = dict(rest)
    match name:
        case "create":
            return [call("db.createCollection", target, *([options] if options else []))]
        case "createIndexes":
            return [_create_index(target, dict(index)) for index in options["indexes"]]
        case "dropIndexes":
            return [on_collection(target, "dropIndex", options["index"])]
        case "drop" | "renameCollection":
            return [on_collection(target, name, *options.values())]
        case _:
            return [call("db.runCommand", command)]


def _create_index(collection: str, index: dict[str, Any]) -> str:
    return on_collection(collection, "createIndex", index.pop("key"), index)


def on_collection(name: str, method: str, *arguments: object) -> str:
    """
    Render a call of a collection's method.

    Args:
        name: The collection.
        method: `createIndex`, `drop`, ...
        arguments: What it is given.
    """
    owner = f"db.{name}" if _IDENTIFIER.match(name) else f"db.getCollection({json.dumps(name)})"
    return call(f"{owner}.{method}", *arguments)


def call(function: str, *arguments: object) -> str:
    """Render a call; arguments that don't fit into a line go over several."""
    flat = ", ".join(render(argument) for argument in arguments)
    if len(function) + len(flat) < _WIDTH:
        return f"{function}({flat})"
    return f"{function}({', '.join(_pretty(argument, 0) for argument in arguments)})"


def render(value: object) -> str:
    """
    Render a value in one line.

    Args:
        value: Anything that BSON can hold; callables and unknown types are named.
    """
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(key)}: {render(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(render(item) for item in value)}]"
    return _scalar(value)


def _pretty(value: object, depth: int) -> str:
    flat = render(value)
    if len(flat) + 2 * depth < _WIDTH or not isinstance(value, Mapping | list | tuple) or not value:
        return flat
    inner, end = "  " * (depth + 1), "  " * depth
    if isinstance(value, Mapping):
        lines = [f"{inner}{_key(key)}: {_pretty(item, depth + 1)}" for key, item in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{end}}}"
    lines = [f"{inner}{_pretty(item, depth + 1)}" for item in value]
    return "[\n" + ",\n".join(lines) + f"\n{end}]"


def _key(key: str) -> str:
    return key if _IDENTIFIER.match(key) else json.dumps(key, ensure_ascii=False)


def _scalar(value: Any) -> str:
    if value is None or isinstance(value, bool | str) or type(value) in (int, float):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, dt.datetime):
        return f'ISODate("{value.isoformat()}")'
    if isinstance(value, re.Pattern):
        return f"/{value.pattern}/"
    # The classes of BSON are known by name, so that rendering never loads the driver.
    name = type(value).__name__
    wrapper = {"Int64": "Long", "Decimal128": "Decimal128", "ObjectId": "ObjectId", "UUID": "UUID"}.get(name)
    return f'{wrapper}("{value}")' if wrapper else f"<{name}>"
