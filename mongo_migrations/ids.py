"""
Values of `_id` as the bytes that the server keeps.

What a driver makes of a value depends on the options of its client: a date is aware or naive, a UUID is
one of three things. Bytes are equal exactly where the server's own values are, so a place in a collection is
kept, compared and sent as bytes. An id is kept as the whole document `{_id: value}`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mongo_migrations.rendering import render

if TYPE_CHECKING:
    from bson.codec_options import CodecOptions
    from bson.raw_bson import RawBSONDocument

_NAME = b"_id\x00"
_MAX_KEY, _MIN_KEY = 0x7F, 0xFF
_REGEX, _LIST, _DOCUMENT = 0x0B, 0x04, 0x03
# Bytes of a value, by its type; of the others, those beside what the value itself counts.
_FIXED = {
    0x01: 8,
    0x06: 0,
    0x07: 12,
    0x08: 1,
    0x09: 8,
    0x0A: 0,
    0x10: 4,
    0x11: 8,
    0x12: 8,
    0x13: 16,
    _MAX_KEY: 0,
    _MIN_KEY: 0,
}
_COUNTED = {0x02: 4, 0x0D: 4, 0x0E: 4, _DOCUMENT: 0, _LIST: 0, 0x0F: 0, 0x05: 5, 0x0C: 16}
# As `$type` names them.
_KINDS = {
    0x01: "double",
    0x02: "string",
    _DOCUMENT: "object",
    0x05: "binData",
    0x07: "objectId",
    0x08: "bool",
    0x09: "date",
    0x0A: "null",
    0x0D: "javascript",
    0x0E: "symbol",
    0x10: "int",
    0x11: "timestamp",
    0x12: "long",
    0x13: "decimal",
    _MAX_KEY: "maxKey",
    _MIN_KEY: "minKey",
}
LAST = struct.pack("<iB", 10, _MAX_KEY) + _NAME + b"\x00"
"""The id behind which none can come: MaxKey."""
_SHOWN = frozenset({0x01, 0x07, 0x09, 0x10, 0x12})


def of(document: RawBSONDocument) -> bytes:
    """
    Return the id of a document, as the document `{_id: value}`.

    Args:
        document: A document as the server sent it.

    Raises:
        KeyError: It has none.
    """
    held, at = bytes(document.raw), 4
    while held[at]:
        named = held.index(0, at + 1) + 1
        end = _end(held, held[at], named)
        if held[at + 1 : named] == _NAME:
            return _written(held[at:end])
        at = end
    raise KeyError("_id")


def of_value(value: object) -> bytes:
    """Return the id that a checkpoint of an earlier version holds as a value."""
    from bson import encode

    return encode({"_id": value}, codec_options=lossless())


def among(found: Iterable[bytes]) -> RawBSONDocument:
    """Return the condition that a document's id is one of these."""
    listed = b"".join(_element(found_id, number) for number, found_id in enumerate(found))
    condition = _written(bytes([_LIST]) + b"$in\x00" + _written(listed))
    return raw(_written(bytes([_DOCUMENT]) + _NAME + condition))


def raw(document: bytes) -> RawBSONDocument:
    """Return a document that is sent as these bytes."""
    from bson.raw_bson import RawBSONDocument

    return RawBSONDocument(document)


def told(found: bytes, *, personal: bool) -> str:
    """
    Describe an id for a message.

    Args:
        found: The id.
        personal: The documents are people's, so that no value may show.

    Returns:
        The value where it is a number, a date or made by the driver; of any other, its type.
    """
    from bson import decode

    kind = found[4]
    if personal or kind not in _SHOWN:
        return f"_id of type {_KINDS.get(kind, f'0x{kind:02x}')}"
    return f"_id {render(decode(found, lossless())['_id'])}"


def lossless() -> CodecOptions[dict[str, Any]]:
    """Return options under which a value that was read is written as it was."""
    from bson.codec_options import CodecOptions, DatetimeConversion

    return CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_AUTO)


def _element(found: bytes, number: int) -> bytes:
    """Write an id as an element of a list: its type, its place as the name, its value."""
    return found[4:5] + str(number).encode() + b"\x00" + found[5 + len(_NAME) : -1]


def _written(elements: bytes) -> bytes:
    return struct.pack("<i", len(elements) + 5) + elements + b"\x00"


def _end(document: bytes, kind: int, at: int) -> int:
    """Return where a value ends that begins here."""
    if kind in _FIXED:
        return at + _FIXED[kind]
    if kind == _REGEX:
        return document.index(0, document.index(0, at) + 1) + 1
    (counted,) = struct.unpack_from("<i", document, at)
    return int(at + counted + _COUNTED[kind])
