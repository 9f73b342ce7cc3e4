"""Types of keys: what a store compares with is exactly as typed as what the subject's key is."""

from __future__ import annotations

import enum
import re
from uuid import UUID

from accord.erased.folding import Fold
from accord.erased.subject_key import plain
from gdpr.errors import InvalidDataMap, WrongKeyType

__all__ = ["KeyType", "Plain", "declared_fold", "key_type", "parsed", "plain", "variants"]


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
_NUMBER = re.compile(r"[+-]?[0-9]+")
_OBJECT_ID = re.compile(r"[0-9a-fA-F]{24}")
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


def declared_fold(declared: str) -> Fold:
    """
    Read a declared folding; nothing declared is exactly as it is written.

    Raises:
        InvalidDataMap: It is none.
    """
    try:
        return Fold(declared or Fold.EXACT)
    except ValueError as exc:
        raise InvalidDataMap(
            f"{declared!r} is no folding of a key.", hint=f"Write one of: {', '.join(Fold)}."
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
    return _read(text if kind is KeyType.STR else text.strip(), kind, name)


def _read(text: str, kind: KeyType, name: str) -> Plain:
    """Turn a text into a key. What is stored keeps its spaces: with one more it may be somebody else's."""
    try:
        return _parse(text, kind)
    except ValueError as exc:
        raise WrongKeyType(
            f"The key “{name}” is of type {kind}; what was given is not.",
            hint=f"Give a value of type {kind}, or name another key with --by.",
        ) from exc


def _parse(text: str, kind: KeyType) -> Plain:
    if not text.strip():
        raise ValueError("empty")
    if kind in (KeyType.INT, KeyType.BOTH):
        return int(_matched(_NUMBER, text))
    if kind is KeyType.UUID:
        return str(UUID(text))
    return _matched(_OBJECT_ID, text).lower() if kind is KeyType.OBJECT_ID else text


def _matched(pattern: re.Pattern[str], text: str) -> str:
    """Python reads "4_2" and "٤٢" as 42: what was typed so could stand for another person."""
    if not pattern.fullmatch(text):
        raise ValueError("form")
    return text


def variants(value: Plain, declared: object) -> tuple[object, ...]:
    """
    Return the forms in which a key may be stored, by its declared type.

    An ObjectId stays a text here; only the adapter of MongoDB knows that class.

    Raises:
        WrongKeyType: The value can't be of that type.
    """
    if declared is int and type(value) is int:
        return (value,)
    kind = key_type(declared)
    converted = _read(str(value), kind, kind)
    if kind is KeyType.BOTH:
        return converted, str(converted)
    return (UUID(str(converted)),) if kind is KeyType.UUID else (converted,)
