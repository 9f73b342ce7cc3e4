"""Jobs in batches in the admin and in the health of a project."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.messages.storage.cookie import CookieStorage
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.test import RequestFactory

from accord.admin_batches import BatchJobAdmin
from accord.batch_models import BatchJob
from accord.batches import here, jobs, leases
from accord.batches.errors import BatchesFailed
from accord.batches.steering import STEER
from accord.health.runner import Level
from accord.health_checks import look_at_batches
from tests.fix_batches import Counted

pytestmark = pytest.mark.integration


def pages() -> BatchJobAdmin:
    return BatchJobAdmin(BatchJob, admin.site)


def ask(
    method: str = "get", *, may: tuple[str, ...] = ("accord.view_batchjob", STEER), **query: Any
) -> HttpRequest:
    """Make a request of a member of staff with these permissions."""
    request: HttpRequest = getattr(RequestFactory(), method)("/admin/accord/batchjob/", query)
    user = User(pk=1, username="officer", is_staff=True, is_active=True)
    # Known already, so that no accounts are asked for: this database holds the kernel's tables alone.
    user._perm_cache = set(may)  # type: ignore[attr-defined]  # Django's own cache
    request.user = user
    request._messages = CookieStorage(request)  # type: ignore[attr-defined]  # where Django keeps them
    return request


def text_of(response: HttpResponse) -> str:
    if isinstance(response, TemplateResponse):
        response.render()
    return response.content.decode()


def test_page_of_a_running_job_shows_slices_speed_and_what_is_left(counted: Counted) -> None:
    """It renews itself, without JavaScript, unless its reader wants it to stand still."""
    job = counted.begin(rows=40, parts=2)
    held = leases.claim(job.reference, version=job.version, owner="worker", ttl=60)
    assert held is not None
    counted.trail.sql(
        "UPDATE accord_batchslice SET rows = 10, seconds = 1 WHERE number = 1",
        "UPDATE accord_batchjob SET held_why = 'replicas are 12 s behind'",
    )

    page = text_of(pages().change_view(ask(), job.reference))
    still = text_of(pages().change_view(ask(still=""), job.reference))

    for text in ("0 / 2", "10 / 40", "1 / 1", "3.00 s", "replicas are 12 s behind", "Pause…", "Stop…"):
        assert text in page
    assert "Resume…" not in page
    assert '<meta http-equiv="refresh" content="5">' in page
    assert "http-equiv" not in still
    assert "count" in text_of(pages().changelist_view(ask()))


def test_pause_and_resume_from_the_page(counted: Counted) -> None:
    """The question is a page of its own, the act a POST; what no longer fits changes nothing."""
    job = counted.begin()
    assert "Pause this job" in text_of(pages().steer(ask(), job.reference, "pause"))
    assert counted.state() == "running"

    assert pages().steer(ask("post"), job.reference, "pause").status_code == 302
    assert counted.state() == "paused"
    assert "As the job stands" in text_of(pages().steer(ask(), job.reference, "pause"))
    assert pages().steer(ask("post"), job.reference, "pause").status_code == 302
    assert "http-equiv" not in text_of(pages().change_view(ask(), job.reference))
    pages().steer(ask("post"), job.reference, "resume")
    assert counted.state() == "running"
    assert counted.events() == ["batches.started", "batches.paused", "batches.resumed"]


def test_who_lacks_the_permission_sees_and_steers_nothing(counted: Counted) -> None:
    """Buttons are off, with their reason; a POST is refused and on record; who may not look gets no page."""
    job = counted.begin()
    looks = ask(may=("accord.view_batchjob",))

    assert "accord-disabled" in text_of(pages().change_view(looks, job.reference))
    pages().steer(ask("post", may=("accord.view_batchjob",)), job.reference, "stop")
    assert counted.state() == "running"
    assert counted.events() == ["batches.started", "access.denied"]
    with pytest.raises(PermissionDenied):
        pages().change_view(ask(may=()), job.reference)


def levels() -> dict[str, Level]:
    return {found.name: found.level for found in look_at_batches()}


def test_health_tells_a_job_that_nobody_works_on_and_one_that_failed(
    counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that has just begun, is paused or is done is well."""
    monkeypatch.setattr(leases, "MOST_TRIES", 1)
    fine = {"batches.stuck": Level.OK, "batches.failed": Level.OK}
    job = counted.begin(rows=4, parts=1, fails_at=2)
    assert levels() == fine
    counted.trail.sql("UPDATE accord_batchslice SET until = until - interval '1 hour'")
    assert levels() == {**fine, "batches.stuck": Level.WARN}
    jobs.pause(job)
    assert levels() == fine
    jobs.resume(job)

    with pytest.raises(BatchesFailed):
        here.run(job, stop=lambda: False)

    assert levels() == {**fine, "batches.failed": Level.WARN}
    [_, failed] = look_at_batches()
    assert "“count”" in failed.message
