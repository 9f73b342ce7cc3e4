"""Copying on the server: one `_reindex` task, started once, found again after a kill, and watched."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from accord.errors import StepFailed
from accord.retry import Backoff
from searchindex.context import Context
from searchindex.reindex.pages import VERSIONS
from searchindex.reindex.pipelines import NONE
from searchindex.reindex.refused import Refused, read, refusal
from searchindex.reindex.strategy import Copy
from searchindex.requests import Request
from searchindex.transport import at

_LOOKING = Backoff(first=0.05, factor=1.5, most=1.0)
_PATIENCE = 60.0


def copy_on_server(context: Context, copy: Copy) -> None:
    """
    Have the server copy, and wait until it says that it is done.

    Args:
        context: Connection, lease and reporter.
        copy: What to copy; the target exists.

    Raises:
        StepFailed: The task failed, or the server forgot it.
        LeaseLost: The lease went away. The task goes on: whoever holds the lease finds it.
    """
    _watch(context, running_task(context, copy) or str(context.send(started(copy)).body["task"]))


def running_task(context: Context, copy: Copy) -> str | None:
    """Return the copy's task if the server still works on it: that of a run which was killed."""
    found = context.transport.get("/_tasks?actions=*reindex&detailed=true&group_by=none").get("tasks", [])
    tasks = found.values() if isinstance(found, Mapping) else found
    for task in tasks:
        if task.get("headers", {}).get("X-Opaque-Id") == _mark(copy) and not task.get("parent_task_id"):
            return f"{task['node']}:{task['id']}"
    return None


def stop_task(context: Context, copy: Copy) -> None:
    """
    Stop the copy's task, if there is one, and wait until it has ended.

    Raises:
        StepFailed: The server does not get it stopped.
    """
    end = time.monotonic() + _PATIENCE
    while (task := running_task(context, copy)) is not None:
        _cancel(context, task)
        if time.monotonic() > end:
            raise StepFailed(
                f"The server does not stop the task {task}, which copies {copy.source}.",
                hint="Wait until the task has ended, then run again.",
            )
        time.sleep(_LOOKING.first)


def started(copy: Copy) -> Request:
    """Build the request that starts the copy."""
    # With `proceed`, a document that an earlier attempt copied, of the same version, is left as it is.
    body = {
        "conflicts": "proceed",
        "source": {"index": copy.source, "size": 1000},
        "dest": {"index": copy.target, "version_type": VERSIONS, "pipeline": NONE},
    }
    path = "/_reindex?wait_for_completion=false"
    return Request("POST", path, body, headers={"X-Opaque-Id": _mark(copy)})


def _watch(context: Context, task: str) -> None:
    for look in itertools.count():
        context.lease.check()
        found = context.transport.find(at("_tasks", task))
        if found is None:
            raise StepFailed(
                "The server forgot the task that copied the index; was it restarted?", hint="Run again."
            )
        status = found["task"].get("status", {})
        done = sum(int(status.get(name, 0)) for name in ("created", "updated", "noops", "version_conflicts"))
        context.progress(done, status.get("total"))
        if found.get("completed"):
            _refuse_failure(found)
            return
        time.sleep(_LOOKING.pause(look, chance=0.5))


def _refuse_failure(found: Mapping[str, Any]) -> None:
    """Fail on what the task reports; texts of failed documents stay out, they hold people's data."""
    failures = found.get("response", {}).get("failures", ())
    refused = [_read(item.get("cause") or {}, item.get("status"), item.get("id")) for item in failures]
    if found.get("error"):
        refused.append(_read(found["error"]))
    if refused:
        raise refusal(f"The server copied the index in part: {len(failures)} refused", refused)


def _read(cause: Mapping[str, Any], status: object = None, document: object = None) -> Refused:
    # An error of the whole task has a name, and no status.
    busy = HTTPStatus.TOO_MANY_REQUESTS if "rejected_execution" in str(cause.get("type")) else 0
    return read(int(str(status or busy)), cause, document=str(document or ""))


def _cancel(context: Context, task: str) -> None:
    context.transport.request("POST", f"{at('_tasks', task)}/_cancel", accept=(400, 404))


def _mark(copy: Copy) -> str:
    return f"accord-reindex/{copy.source}/{copy.target}"
