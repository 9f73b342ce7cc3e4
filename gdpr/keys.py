"""Types of keys: what a store compares with is exactly as typed as what the subject's key is."""

from __future__ import annotations

import enum
from uuid import UUID

from gdpr.errors import InvalidDataMap, WrongKeyType


class KeyType(enum.StrEnum):
    """How a key is stored. MongoDB never takes 42 for "42"."""

    INT = "int"
    """A whole number."""
    STR = "str"
    """A text."""
    UUID = "uuid"
    """A UUID."""
    OBJECT_ID = "objectid"
    """An ObjectId of MongoDB."""
    BOTH = "both"
    """A whole number in some places and the same number as a text in others."""


_PYTHON: dict[object, KeyType] = {int: KeyType.INT, str: KeyType.STR, UUID: KeyType.UUID}
_HEX_DIGITS_OF_OBJECT_ID = 24
Plain = int | str


def key_type(declared: object) -> KeyType:
    """
    Read a declared key type.

    Args:
        declared: `int`, `str`, `uuid.UUID`, or the value of a :class:`KeyType`.

    Raises:
        InvalidDataMap: It is none of them.
    """
    if isinstance(declared, type) and declared in _PYTHON:
        return _PYTHON[declared]
    try:
        return KeyType(str(declared))
    except ValueError as exc:
        raise InvalidDataMap(
            f"{declared!r} is no type of a key.",
            hint=f"Write int, str, uuid.UUID, or one of: {', '.join(KeyType)}.",
        ) from exc


def parsed(text: str, kind: KeyType, name: str) -> Plain:
    """
    Turn what a person typed into a key, as plain as JSON can hold it.

    Args:
        text: As typed.
        kind: Type that the key has.
        name: Name of the key, for the message.

    Raises:
        WrongKeyType: The text is no such key; the message does not repeat it.
    """
    try:
        return _parse(text.strip(), kind)
    except ValueError as exc:
        raise WrongKeyType(
            f"The key “{name}” is of type {kind}; what was given is not.",
            hint=f"Give a value of type {kind}, or name another key with --by.",
        ) from exc


def _parse(text: str, kind: KeyType) -> Plain:
    if not text:
        raise ValueError("empty")
    if kind in (KeyType.INT, KeyType.BOTH):
        return int(text)
    if kind is KeyType.UUID:
        return str(UUID(text))
    if kind is KeyType.OBJECT_ID:
        if len(text) != _HEX_DIGITS_OF_OBJECT_ID:
            raise ValueError("length")
        return f"{int(text, 16):0{_HEX_DIGITS_OF_OBJECT_ID}x}"
    return text


def plain(value: object) -> Plain:
    """Make a key of a store as plain as JSON can hold it: numbers stay, everything else becomes a text."""
    return value if isinstance(value, int) and not isinstance(value, bool) else str(value)


def variants(value: Plain, declared: object) -> tuple[object, ...]:
    """
    Give the forms in which a key may be stored, by its declared type.

    An ObjectId stays a text here; only the adapter of MongoDB knows that class.

    Raises:
        WrongKeyType: The value can't be of that type.
    """
    kind = key_type(declared)
    converted = parsed(str(value), kind, kind)
    if kind is KeyType.BOTH:
        return converted, str(converted)
    return (UUID(str(converted)),) if kind is KeyType.UUID else (converted,)
