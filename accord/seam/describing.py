"""What stands in a store, as one text that people review and that is compared line by line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

_PLAIN = re.compile(r"^[A-Za-z_$][A-Za-z0-9_.@$-]*$")
_BY = "  "


@dataclass(frozen=True, kw_only=True)
class Description:
    """
    The schema of a store, without anything that changes unless somebody changes the schema.

    Attributes:
        suffix: What a file of it ends in, without the dot: `sql`, `yaml`.
        comment: What begins a line of such a file that is for people alone.
        text: One thing a line, sorted; no data, no owner, no server, no database, nothing the server counts.
        place: Which database it is; two stores with the same words share it. Empty where none is shared.
    """

    suffix: str
    comment: str
    text: str
    place: str = ""


@runtime_checkable
class Describes(Protocol):
    """A store that can describe what stands in it, whoever made that."""

    @property
    def product(self) -> str:
        """Which server it is, such as `mongodb`: stores of one product may share a database."""
        ...

    def describe(self) -> Description | None:
        """
        Describe what stands. Nothing is created.

        Returns:
            The same text for the same schema, in whichever database, under whichever prefix and after
            whatever way there; None where this product, or this alias, can't be described.

        Raises:
            StoreUnavailable: The server can't be reached.
        """
        ...


def outlined(value: Mapping[str, Any], depth: int = 0) -> Iterator[str]:
    """
    Write a mapping as YAML, one thing a line: a change of one thing is a change of one line.

    Args:
        value: Of what JSON has; its order is kept.
        depth: How far it is indented.

    Yields:
        Lines without their end.
    """
    for name, inner in value.items():
        key = f"{_BY * depth}{name if _PLAIN.match(name) else _scalar(name)}:"
        if isinstance(inner, Mapping) and inner:
            yield key
            yield from outlined(inner, depth + 1)
        elif _holds_mappings(inner):
            yield key
            for item in inner:
                yield from _item(item, depth + 1)
        else:
            yield f"{key} {_scalar(inner)}"


def _item(item: object, depth: int) -> Iterator[str]:
    """Write one item of a list, behind a dash."""
    if not isinstance(item, Mapping) or not item:
        yield f"{_BY * depth}- {_scalar(item)}"
        return
    first, *others = outlined(item, depth + 1)
    yield f"{_BY * depth}- {first.lstrip()}"
    yield from others


def _holds_mappings(value: object) -> bool:
    return isinstance(value, Sequence) and any(isinstance(item, Mapping) for item in value)


def _scalar(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
