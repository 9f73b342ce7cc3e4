"""How documents are written in files, and read from them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bson import CodecOptions, Decimal128, ObjectId, decode, encode, json_util
from bson.binary import UUID_SUBTYPE, Binary
from bson.codec_options import DatetimeConversion
from bson.datetime_ms import DatetimeMS
from bson.raw_bson import RawBSONDocument

from accord.seam.bulk import FileFormat

Document = dict[str, Any]

# Dates beyond the year 9999 exist in real collections, and a UUID stays the bytes that it is.
PLAIN: CodecOptions[Document] = CodecOptions(
    document_class=dict, tz_aware=True, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)
RAW: CodecOptions[RawBSONDocument] = CodecOptions(
    document_class=RawBSONDocument, tz_aware=True, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)
_CANONICAL = json_util.CANONICAL_JSON_OPTIONS.with_options(
    datetime_conversion=DatetimeConversion.DATETIME_AUTO, tz_aware=True
)


def written(raw: bytes, form: FileFormat) -> bytes:
    """
    Write one document of BSON in a format of lines.

    Args:
        raw: The document.
        form: Extended JSON, which keeps every type, or JSON Lines, which any store reads.
    """
    document = decode(raw, PLAIN)
    if form is FileFormat.EJSON:
        return f"{json_util.dumps(document, json_options=_CANONICAL, ensure_ascii=False)}\n".encode()
    text = json.dumps(document, default=_plain, ensure_ascii=False, separators=(",", ":"))
    return f"{text}\n".encode(errors="surrogatepass")


def reader(form: FileFormat, key: Sequence[str]) -> Callable[[bytes], bytes]:
    """
    Return what makes BSON of a record.

    Args:
        form: How records are written.
        key: Members that tell one from another, where the files come from another store; they make the `_id`.

    Raises:
        ValueError, TypeError, KeyError: From the function: the record is no document.
    """
    if form is FileFormat.BSON:
        return bytes
    if form is FileFormat.EJSON:
        return lambda record: encode(json_util.loads(record.decode(), json_options=_CANONICAL))
    return lambda record: encode(_identified(_object(record), key))


def _object(record: bytes) -> Document:
    found = json.loads(record)
    if not isinstance(found, dict):
        raise TypeError("This is no JSON object.")
    return found


def _identified(document: Document, key: Sequence[str]) -> Document:
    """Give a document of another store an `_id`, so that coming twice it is one."""
    if "_id" in document or "_id" in key or not key:
        return document
    found = {name: document[name] for name in key}
    return {"_id": found if len(found) > 1 else next(iter(found.values())), **document}


def _plain(value: object) -> object:
    """Write what JSON has no word for as other stores would read it."""
    if isinstance(value, Binary) and value.subtype == UUID_SUBTYPE:
        return str(value.as_uuid())
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    if isinstance(value, ObjectId | Decimal128):
        return str(value)
    if isinstance(value, DatetimeMS):
        return int(value)
    if isinstance(value, Mapping):
        return dict(value)
    isoformat = getattr(value, "isoformat", None)
    return isoformat() if callable(isoformat) else str(value)
