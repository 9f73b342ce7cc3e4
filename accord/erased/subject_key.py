"""
When two keys are the same person: one form of a key, whatever type a store returns it in.

42, 42.0, `Decimal(42)` and "42" are one key, as MongoDB and JSON take them for one; so are a UUID, its
text in any case, with or without hyphens, and the `Binary` that PyMongo makes of it; so are an ObjectId
and its text in any case. None, truth values and empty texts belong to no person. Which spellings of another
text are one key is declared: see :mod:`accord.erased.folding`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from accord.erased.folding import Fold, folded
from accord.errors import InvalidRevision

_UUID = re.compile(r"[0-9a-fA-F]{8}(-?)(?:[0-9a-fA-F]{4}\1){3}[0-9a-fA-F]{12}")
_OBJECT_ID = re.compile(r"[0-9a-fA-F]{24}")
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,399}")
_UUID_BYTES = 16
_UUID_SUBTYPES = frozenset({3, 4})  # of BSON; 3 is the older one
_MOST_DIGITS = 400  # more than a float has; a Decimal may claim a billion


def canonical(key: object) -> str:
    """
    Write a key in the one form that says who the person is.

    Args:
        key: A key, of any type that a store returns.

    Returns:
        An empty text for what belongs to no person.
    """
    if key is None or isinstance(key, bool):
        return ""
    text = str(plain(key))
    if _UUID.fullmatch(text):
        return str(UUID(text))
    return text.lower() if _OBJECT_ID.fullmatch(text) else text


def spellings(key: object) -> Mapping[Fold, str]:
    """
    Fold a textual key in each way that a project may have declared for it.

    Returns:
        Nothing for numbers, UUIDs and ObjectIds, whose canonical form is the only one.
    """
    text = canonical(key)
    if not text or whole_text(text) is not None or _UUID.fullmatch(text) or _OBJECT_ID.fullmatch(text):
        return {}
    return {fold: folded(text, fold) for fold in Fold if fold is not Fold.EXACT}


def texts(key: object) -> tuple[str, ...]:
    """
    Write a key in every form that a tag may have been made of: the canonical one first.

    The other is the key's own text, which tags were made of before there was a canonical form.

    Returns:
        Nothing for what belongs to no person.
    """
    found = canonical(key)
    return tuple(dict.fromkeys((found, str(key)))) if found else ()


def plain(key: object) -> int | str:
    """Return a key as plain as JSON can hold it: whole numbers stay numbers, everything else becomes text."""
    if type(key) is int or type(key) is str:
        return key
    number = whole(key)
    if number is not None:
        return number
    if isinstance(key, bytes) and len(key) == _UUID_BYTES and getattr(key, "subtype", None) in _UUID_SUBTYPES:
        return str(UUID(bytes=bytes(key)))
    return str(key)


def whole(key: object) -> int | None:
    """
    Read a whole number, of whichever type of number.

    Returns:
        None for what is no number or not whole, and for truth values.
    """
    to_decimal = getattr(key, "to_decimal", None)  # of BSON's Decimal128
    number = to_decimal() if callable(to_decimal) else key
    if isinstance(number, Decimal):
        written_out = number.is_finite() and number.adjusted() < _MOST_DIGITS
        return int(number) if written_out and number == number.to_integral_value() else None
    if isinstance(number, float):
        return int(number) if number.is_integer() else None
    return int(number) if isinstance(number, int) and not isinstance(number, bool) else None


def whole_text(text: str) -> int | None:
    """
    Read the whole number whose text this is.

    Returns:
        None where `str()` of no number gives this text: "²", "٤٢", "007" and "4_2" are texts.
        So is a number longer than any that a store keeps.
    """
    return int(text) if _WHOLE.fullmatch(text) else None


def same(left: object, right: object) -> bool:
    """Compare two keys as their stores do: numbers by value, all else by exactly its type."""
    number = whole(left)
    if number is not None:
        return whole(right) == number
    return type(left) is type(right) and left == right


def check_pair(subject: object, of: str) -> None:
    """
    Check how a revision says whose documents it writes.

    Args:
        subject: None, or a pair of a kind of person and the path of their key.
        of: Which operation, for the message.

    Raises:
        InvalidRevision: It is neither.
    """
    pair = isinstance(subject, tuple) and [type(part) for part in subject] == [str, str] and all(subject)
    if subject is not None and not pair:
        raise InvalidRevision(
            f"The subject of {of} is a pair of a kind of person and the path of their key.",
            hint='Write it like this: subject=("streaming.listener", "listener_id").',
        )
