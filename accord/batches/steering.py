"""Who may pause, resume and stop a job in batches: the same at every door."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.contrib.auth.models import PermissionsMixin

from accord import meanings
from accord.acting import Account
from accord.audit.events import ObjectKind
from accord.batch_models import BatchJob, Place
from accord.batches import asking, jobs
from accord.batches.settings import required
from accord.denied import Denial
from accord.errors import NotAllowed
from accord.wording import say

STEER = "accord.steer_batchjob"
ACTS: Mapping[str, Callable[[BatchJob, Account], bool]] = {
    "pause": jobs.pause,
    "resume": jobs.resume,
    "stop": jobs.stop,
}


def steer(job: BatchJob, act: str, by: Account) -> bool:
    """
    Pause, resume or stop a job.

    Args:
        job: The job.
        act: One of :data:`ACTS`.
        by: Who does it.

    Returns:
        Whether that changed anything.

    Raises:
        NotAllowed: The account isn't active, or lacks the permission.
        StoreUnavailable: A job was resumed, and the broker of its workers can't be reached; they come later.
    """
    if not (by.is_active and isinstance(by, PermissionsMixin) and by.has_perm(STEER)):
        raise NotAllowed(
            say(
                "This account lacks the permission {permissions}.", permissions=meanings.permissions([STEER])
            ),
            hint="An administrator gives it in the admin, to the account or to one of its groups.",
        ).told(Denial(by=by, kind=ObjectKind.BATCH_JOB.value, ref=job.reference))
    changed = ACTS[act](job, by)
    if changed and act == "resume" and job.place == Place.CELERY:
        asking.ask(job, required())
    return changed
