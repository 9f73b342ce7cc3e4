"""What a revision's failure is told as: the server's own words, its limits, and what helps."""

from __future__ import annotations

from http import HTTPStatus

from accord.errors import StepFailed, StoreRefused
from accord.revisions.store import RevisionStore
from searchindex.answers import answered
from searchindex.blocks import way_on
from searchindex.operations.base import Operation
from searchindex.transport import ReplyLost, RequestRefused

_MADE_MEANWHILE = frozenset({"resource_already_exists_exception", "index_already_exists_exception"})


class TellsFailures(RevisionStore[Operation]):
    """The part of the store that words errors."""

    def failure(self, exc: Exception, place: str) -> Exception:
        """Return the error that names the place; what the server refuses is told in its own words."""
        from searchindex.limits import limit_of

        told = _answer(exc)
        if told is not None and (limit := limit_of(told)):
            return StepFailed(f"{place}: the server {limit.says} ({told.reason}).", hint=limit.hint)
        if isinstance(exc, StoreRefused) and exc.lacks_right:
            return StepFailed(f"{place}: {exc.message}", hint=exc.hint)
        if told is exc and not self.was_answer_lost(exc):
            return StepFailed(
                f"{place}: the server refuses it: {told.reason or told.kind}.", hint=_hint(told)
            )
        error = super().failure(exc, place)
        answer = answered(exc)
        # What a server says to a function's request may quote a document; its word for the error never does.
        if answer is not None and isinstance(error, StepFailed):
            error.hint = way_on(*answer) or error.hint
        return error

    def described(self, exc: Exception) -> str:
        """Return the kind of an error, and the server's status and word for it where a client raised it."""
        answer = answered(exc)
        if answer is None:
            return super().described(exc)
        return f"{type(exc).__name__} ({' '.join(map(str, filter(None, reversed(answer))))})"

    def was_answer_lost(self, exc: Exception) -> bool:
        """Check whether an answer got lost, now or by a first try of the same request."""
        made_meanwhile = isinstance(exc, RequestRefused) and exc.kind in _MADE_MEANWHILE
        return isinstance(exc, ReplyLost) or made_meanwhile

    def was_refused(self, exc: Exception) -> bool:
        """Check that the server has said no; one that was late or busy may still act."""
        told = _answer(exc)
        if told is not None and not self.was_answer_lost(told):
            late = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
            blocked = told.kind == "cluster_block_exception"  # 429, too, where a disk is full
            return blocked or (told.status < HTTPStatus.INTERNAL_SERVER_ERROR and told.status not in late)
        return super().was_refused(exc)


def _answer(exc: BaseException) -> RequestRefused | None:
    """Find what the server answered, where an operation made an error of its own of it."""
    return next((one for one in (exc, exc.__cause__) if isinstance(one, RequestRefused)), None)


def _hint(exc: RequestRefused) -> str:
    if exc.hint:
        return exc.hint
    if exc.status == HTTPStatus.BAD_REQUEST:
        return "Correct the revision; analyzers and field types depend on the server's version and plugins."
    return "Look at the server's log, then run again."
