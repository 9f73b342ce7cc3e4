"""What it means that an index does not take a document: a busy server is no bad mapping."""

from __future__ import annotations

from collections.abc import Collection
from http import HTTPStatus

from accord.errors import AccordError, StepFailed, StoreUnavailable
from searchindex.blocks import way_on

BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


def refusal(fact: str, refused: Collection[tuple[int, str]]) -> AccordError:
    """
    Make the error for documents that were refused.

    Args:
        fact: What was refused, without a full stop; texts of documents stay out, they hold people's data.
        refused: HTTP status of each refused document, and the server's name for the reason.
    """
    statuses = {status for status, _ in refused}
    told = f"{fact} ({', '.join(sorted({kind for _, kind in refused}))})."
    if blocked := next(filter(None, (way_on(kind, status) for status, kind in refused)), ""):
        return StepFailed(told, hint=blocked)
    if statuses <= BUSY:
        return StoreUnavailable(
            f"{told} The server is too busy.", hint="Give it time or more room, then run again."
        )
    if HTTPStatus.BAD_REQUEST in statuses:
        return StepFailed(
            told, hint="The new mapping does not take every document; correct the revision, then run again."
        )
    return StepFailed(told, hint="See the server's log for the reason, then run again.")
