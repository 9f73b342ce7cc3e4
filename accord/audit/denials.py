"""
Refusals in the trail: who was refused what, at whatever door.

The act that was refused left nothing, so the event has a transaction of its own. It is a note
beside the refusal, and never in its way: where it can't be written, whoever asked is refused all
the same, and the log says that the note is missing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.signals import request_finished
from django.db import connections, transaction

from accord import conf
from accord.audit import trail
from accord.audit.events import ActorKind, EventKind, EventOutcome, ObjectKind
from accord.denied import Denial, Denied

logger = logging.getLogger(__name__)

_PATIENCE = "2s"
"""How long a refusal waits for other writers of the trail."""
_SAME = """
    SELECT EXISTS (
        SELECT FROM accord_auditevent
        WHERE actor_ref = %s AND event = %s AND object_kind = %s AND object_ref = %s
        AND at > clock_timestamp() - interval '1 minute'
    )
"""


def note(error: BaseException, otherwise: Denial | None = None) -> None:
    """
    Put on record that somebody was refused, once for each refusal.

    The same account that is refused the same thing again within a minute adds nothing: nobody fills
    the trail by asking.

    Args:
        error: What a door is about to answer; one that refuses nobody is passed over.
        otherwise: Who was refused what, where the error itself doesn't say.
    """
    if not isinstance(error, Denied) or error.on_record:
        return
    error.on_record = True
    denial = error.denial or otherwise or Denial()
    with _never_in_the_way():
        if _is_taken_back():
            _when_the_request_is_over(denial)
        else:
            _write(denial)


def _is_taken_back() -> bool:
    """Return whether what is written now goes when the request that is being answered is refused."""
    connection = connections[conf.load().coordinator]
    return connection.in_atomic_block and bool(connection.settings_dict["ATOMIC_REQUESTS"])


def _when_the_request_is_over(denial: Denial) -> None:
    def write(**_signal: Any) -> None:
        request_finished.disconnect(write)
        with _never_in_the_way():
            _write(denial)

    request_finished.connect(write, weak=False)


@contextmanager
def _never_in_the_way() -> Iterator[None]:
    try:
        yield
    except Exception as exc:  # noqa: BLE001 - whatever it is: the refusal stands, and has to reach whoever asked
        logger.warning("A refusal could not be written into the audit trail (%s)", type(exc).__name__)


def _write(denial: Denial) -> None:
    alias = conf.load().coordinator
    with transaction.atomic(using=alias):
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [_PATIENCE])
        acts = trail.Actor(kind=ActorKind.PERSON, ref=_reference(denial.by, alias))
        ref = denial.ref or _reference(denial.account, alias)
        if not _is_known([acts.ref, EventKind.ACCESS_DENIED.value, denial.kind, ref], alias):
            trail.record(
                EventKind.ACCESS_DENIED,
                actor=acts,
                object_kind=ObjectKind(denial.kind),
                object_ref=ref,
                request_ref=denial.request_ref,
                outcome=EventOutcome.REFUSED,
                using=alias,
            )


def _reference(account: Any, alias: str) -> str:
    """Return the reference of an account; none for whoever has no account that is known."""
    if account is None:
        return ""
    return trail.reference_for(account._meta.label_lower, account.pk, using=alias)


def _is_known(told: Sequence[str], alias: str) -> bool:
    with connections[alias].cursor() as cursor:
        cursor.execute(_SAME, told)
        return bool((cursor.fetchone() or [False])[0])
