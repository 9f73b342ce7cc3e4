"""A digest of the operations that are done of a migration: what tells an edit of them on a rerun."""

from __future__ import annotations

import hashlib
import inspect
import textwrap
from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType
from typing import Any

from django.db.migrations.operations.base import Operation
from django.db.migrations.writer import MigrationWriter

from accord.seam.checksum import checksum

WHOLE = "2:"
"""Beginning of a digest of whole operations; earlier versions wrote one of their descriptions, without it."""
IN_PARTS = "3:"
"""Beginning of a digest of a migration whose operations are sent in parts."""
_LENGTH = 64
"""What the ledger has room for."""


class Chain:
    """
    Digest of a growing list of operations.

    Args:
        form: How they are sent: :data:`WHOLE` or :data:`IN_PARTS`.
    """

    def __init__(self, form: str = WHOLE) -> None:
        self._form = form
        self._hash = hashlib.sha256()

    def add(self, operation: Operation) -> None:
        """Take an operation in."""
        for part in _parts(operation):
            self._hash.update(part.encode() + b"\0")

    def with_(self, operation: Operation) -> str:
        """Return the digest with one operation more, which isn't taken in."""
        copy = Chain(self._form)
        copy._hash = self._hash.copy()
        copy.add(operation)
        return copy.text

    @staticmethod
    def of(operations: Iterable[Operation], form: str = WHOLE) -> str:
        """Return the digest of operations."""
        chain = Chain(form)
        for operation in operations:
            chain.add(operation)
        return chain.text

    @property
    def text(self) -> str:
        """The digest of what was taken in, as the ledger holds it."""
        return f"{self._form}{self._hash.hexdigest()}"[:_LENGTH]


def recognises(recorded: str, operations: Iterable[Operation]) -> bool:
    """
    Return whether operations are still those of a digest, by the form in which that was written.

    Args:
        recorded: What the ledger holds.
        operations: Those of today's file.
    """
    if recorded.startswith((WHOLE, IN_PARTS)):
        return Chain.of(operations, recorded[: len(WHOLE)]) == recorded
    told = b"".join(operation.describe().encode() + b"\0" for operation in operations)
    return hashlib.sha256(told).hexdigest() == recorded


def _parts(operation: Operation) -> Iterator[str]:
    """Yield all that an operation is made of."""
    name, args, kwargs = operation.deconstruct()
    yield name
    yield from map(_written, args)
    yield from (f"{key}={_written(kwargs[key])}" for key in sorted(kwargs))


def _written(value: Any) -> str:
    """Write a value as Django would write it into a migration; a function by what it does."""
    if isinstance(value, FunctionType):
        return _code(value)
    try:
        return str(MigrationWriter.serialize(value)[0])
    except (ValueError, TypeError):
        return type(value).__qualname__


def _code(function: FunctionType) -> str:
    if function.__name__ != "<lambda>":
        try:
            return checksum(textwrap.dedent(inspect.getsource(function)))
        except (OSError, TypeError):
            return function.__qualname__
    # The lines that a lambda stands on hold other operations, too.
    code = function.__code__
    constants = [each for each in code.co_consts if not isinstance(each, CodeType)]
    return f"{code.co_code.hex()} {constants!r} {code.co_names!r}"
