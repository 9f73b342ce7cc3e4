"""
Transactions: repeated as the server's labels say, and given up with the server's own words.

The driver's `with_transaction` repeats for two minutes and then raises an error of the network,
whatever the server had answered. Here the caller says for how long an answer is worth a repetition, and
gets that answer.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from pymongo.client_session import ClientSession

T = TypeVar("T")

LONG = 120.0
"""Seconds for which everything is repeated that may help: a failover takes some of them."""

_AGAIN, _UNKNOWN = "TransientTransactionError", "UnknownTransactionCommitResult"
_FIRST_PAUSE, _GROWTH, _LONGEST_PAUSE = 0.005, 1.5, 0.5
# BSONObjectTooLarge (three of them), TransactionTooLarge, ExceededMemoryLimit.
_TOO_LARGE = frozenset({10334, 17419, 17420, 257, 146})
_BEING_BUILT = 12587
_TOO_LARGE_NAMES = frozenset({"TransactionTooLarge", "TransactionTooLargeForCache", "TemporarilyUnavailable"})


def run(session: ClientSession, body: Callable[[ClientSession], T], patience: float = LONG) -> T:
    """
    Run something in a transaction, again where the server asks for it.

    Args:
        session: Has no transaction under way.
        body: What is done; called again for each repetition.
        patience: Seconds after which an answer of the server is no reason to repeat. A network that
            fails is one for :data:`LONG`.

    Returns:
        What the body returned in the transaction that was committed.

    Raises:
        PyMongoError: What the server answered last, or what the network did.
    """
    from pymongo.errors import PyMongoError

    until, pause = _Until(patience), _FIRST_PAUSE
    while True:
        try:
            return _once(session, body)
        except PyMongoError as exc:
            if not exc.has_error_label(_AGAIN) or until.is_over(exc):
                raise
        time.sleep(random.random() * pause)  # noqa: S311 - a pause, no secret
        pause = min(pause * _GROWTH, _LONGEST_PAUSE)


def is_building(error: Exception) -> bool:
    """Return whether a command about a collection was refused because an index of it is being built."""
    from pymongo.errors import OperationFailure

    return isinstance(error, OperationFailure) and error.code == _BEING_BUILT


def is_too_much(error: Exception) -> bool:
    """
    Return whether less work in a transaction may succeed where this error came.

    False where the transaction may have been committed: to repeat it would do its work twice.
    """
    from pymongo.errors import ConnectionFailure, OperationFailure

    if not isinstance(error, OperationFailure) or isinstance(error, ConnectionFailure):
        return False
    if error.has_error_label(_UNKNOWN):
        return False
    named = (error.details or {}).get("codeName")
    return error.has_error_label(_AGAIN) or error.code in _TOO_LARGE or named in _TOO_LARGE_NAMES


class _Until:
    """When to give up."""

    def __init__(self, patience: float) -> None:
        self._began, self._patience = time.monotonic(), patience

    def is_over(self, error: Exception) -> bool:
        from pymongo.errors import ConnectionFailure

        limit = LONG if isinstance(error, ConnectionFailure) else self._patience
        return time.monotonic() - self._began >= limit


def _once(session: ClientSession, body: Callable[[ClientSession], T]) -> T:
    from pymongo import ReadPreference, WriteConcern
    from pymongo.read_concern import ReadConcern

    session.start_transaction(
        read_concern=ReadConcern("snapshot"),
        write_concern=WriteConcern("majority", j=True),
        read_preference=ReadPreference.PRIMARY,
    )
    try:
        result = body(session)
    except BaseException:
        session.abort_transaction()
        raise
    _commit(session)
    return result


def _commit(session: ClientSession) -> None:
    """Commit; again while nobody knows whether it was, however short the patience with answers is."""
    from pymongo.errors import PyMongoError

    until = _Until(LONG)
    while True:
        try:
            session.commit_transaction()
        except PyMongoError as exc:
            if not exc.has_error_label(_UNKNOWN) or until.is_over(exc):
                raise
        else:
            return
        time.sleep(_FIRST_PAUSE)
