"""
Lists for PostgreSQL, each as one text that is cast: `unnest(%s::bigint[])`.

psycopg2 writes a list as `ARRAY[...]`, of which the server parses each item as an expression: for both
sides that is several times the work of reading the same array as a text.
"""

from __future__ import annotations

from collections.abc import Iterable

_APART = "\0"  # no text of PostgreSQL holds it


def of_numbers(values: Iterable[int]) -> str:
    """
    Write whole numbers, or truth values, as the text of an array.

    Args:
        values: The numbers.

    Returns:
        What `%s::bigint[]`, or `%s::boolean[]`, takes.
    """
    return f"{{{','.join(map(str, values))}}}"


def of_bytes(values: Iterable[bytes]) -> str:
    """
    Write bytes as the text of an array.

    Args:
        values: The bytes.

    Returns:
        What `%s::bytea[]` takes.
    """
    return of_texts("\\x" + value.hex() for value in values)


def of_texts(values: Iterable[str]) -> str:
    """
    Write texts as the text of an array; nothing in them is read as a sign of the array.

    Args:
        values: The texts.

    Returns:
        What `%s::text[]` takes.

    Raises:
        ValueError: A text holds a zero character, which PostgreSQL refuses.
    """
    listed = list(values)
    if not listed:
        return "{}"
    joined = _APART.join(listed)
    if joined.count(_APART) >= len(listed):
        raise ValueError("A text for PostgreSQL holds a zero character.")
    escaped = joined.replace("\\", r"\\").replace('"', r"\"").replace(_APART, '","')
    return f'{{"{escaped}"}}'
