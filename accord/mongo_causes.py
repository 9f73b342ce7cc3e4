"""
Why a MongoDB doesn't let us work, or ends a command: each cause its own sentence and next move.

Told by the server's codes and by the names of the driver's classes, so that no driver is loaded here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from accord.causes import causes_of
from accord.connecting import ENDED, Trouble
from accord.limits import DISK, Limit

_AGAIN = "run the same command again; it continues where this one was"

AWAY = Trouble(
    says="can't be reached",
    hint="Is it running, and are host, port and replicaSet of {where} right?",
    quotes=False,
)
CREDENTIALS = Trouble(
    says="rejects our credentials",
    hint="Check user, password and authSource of {where}.",
    refused=True,
    quotes=False,
)
RIGHTS = Trouble(
    says="doesn't give us a right that this takes",
    hint="Grant it to the user of {where}: readWrite and dbAdmin on the database are what the suite's own "
    "operations take.",
    refused=True,
    quotes=False,
)
READ_ONLY = Trouble(
    says="takes no writes from us",
    hint="Somebody blocked them, for a move of the cluster perhaps (setUserWriteBlockMode): wait until that "
    "is over, or point {where} at the cluster that takes writes.",
    refused=True,
    quotes=False,
)
NO_PRIMARY = Trouble(
    says="has no primary that takes writes",
    hint="The replica set chooses one, or lost too many members: rs.status() in mongosh tells. Once there is "
    f"one, {_AGAIN}.",
    quotes=False,
)
LATE = Trouble(
    says="did not answer in time",
    hint="db.currentOp() in mongosh tells what it is at. If that only takes longer, raise socketTimeoutMS of "
    f"{{where}}; then {_AGAIN}.",
    quotes=False,
)
CLOSED = Trouble(says=ENDED.says, hint=ENDED.hint, quotes=False)

TIME = Limit(
    says="ended the command: it took longer than maxTimeMS allows",
    hint="Raise maxTimeMS of the command, timeoutMS of the URL or defaultMaxTimeMS of the server, or let the "
    "operation do less at a time; then run again.",
)
KILLED = Limit(
    says="ended the command: somebody killed the operation",
    hint="The server's log says when, and db.currentOp() what else goes on. Once it may run, run the same "
    "command again.",
)
LOCK = Limit(
    says="didn't get a lock in time",
    hint="Another operation holds it: db.currentOp() tells which. Wait for it or end it, then run again.",
)
LIFETIME = Limit(
    says="ended the transaction: it was open for longer than transactionLifetimeLimitSeconds allows, or "
    "somebody ended our session",
    hint="Do less in it, with RunBatches, a smaller batch_size or several revisions, and run again.",
)
TOO_LARGE = Limit(
    says="ended the transaction: it was too large",
    hint="Do less in it, with RunBatches, a smaller batch_size or several revisions, and run again.",
)
MEMORY = Limit(
    says="has no memory left for this",
    hint="Let the operation do less at a time, or let an aggregation use the disk (allowDiskUse); then run "
    "again.",
)
CONFLICT = Limit(
    says="gave the transaction up: others wrote the same documents at the same time",
    hint="Nothing of it stands. Run the same command again; while writers are quiet, if it comes back.",
)

_TROUBLES = {13: RIGHTS, 18: CREDENTIALS, 371: READ_ONLY, 8000: CREDENTIALS}
_LIMITS = {
    24: LOCK,
    50: TIME,
    262: TIME,
    11601: KILLED,
    251: LIFETIME,
    290: LIFETIME,
    257: TOO_LARGE,
    146: MEMORY,
    292: MEMORY,
    112: CONFLICT,
    14031: DISK,
}
# The number of this one is another in each major version.
_LIMITS_BY_NAME = {"TransactionTooLargeForCache": TOO_LARGE}
_CHOOSES = re.compile(r"No primary available|No replica set members match|No replica set members available")
_BROKEN = re.compile(r"connection closed|reset by peer|broken pipe", re.IGNORECASE)


def trouble_of(error: BaseException) -> Trouble | None:
    """
    Return why the server doesn't let us work.

    Args:
        error: Django's or the driver's error.

    Returns:
        None where the server answered, and the error is about the command itself.
    """
    known = next((_TROUBLES[code] for code in _codes(error) if code in _TROUBLES), None)
    return known or _of_the_network(error)


def limit_of(error: BaseException) -> Limit | None:
    """
    Return what a command ran into.

    Args:
        error: Django's or the driver's error.

    Returns:
        None where it is about no limit: the command or the data is to be corrected.
    """
    return next((_LIMITS[code] for code in _codes(error) if code in _LIMITS), None) or next(
        (_LIMITS_BY_NAME[name] for name in _names(error) if name in _LIMITS_BY_NAME), None
    )


def _of_the_network(error: BaseException) -> Trouble | None:
    kinds = {kind.__name__ for one in causes_of(error) for kind in type(one).__mro__}
    if "ConnectionFailure" not in kinds:
        return None
    if "NotPrimaryError" in kinds or _CHOOSES.search(str(error)):
        return NO_PRIMARY
    if "ServerSelectionTimeoutError" in kinds:
        return AWAY
    if "NetworkTimeout" in kinds:
        return LATE
    return CLOSED if _BROKEN.search(str(error)) else AWAY


def _codes(error: BaseException) -> Iterator[int]:
    """Yield the server's codes, that of the first document which was refused before that of the whole."""
    for answer in _answers(error):
        for part in (*(answer.get("writeErrors") or ())[:1], answer):
            if isinstance(part.get("code"), int):
                yield part["code"]
    own = (getattr(one, "code", None) for one in causes_of(error))
    yield from (code for code in own if isinstance(code, int))


def _names(error: BaseException) -> Iterator[str]:
    yield from (str(answer.get("codeName")) for answer in _answers(error))


def _answers(error: BaseException) -> Iterator[Mapping[str, Any]]:
    for one in causes_of(error):
        details = getattr(one, "details", None)
        if isinstance(details, Mapping):
            yield details
