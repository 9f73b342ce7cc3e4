"""Addresses that load balancers and orchestrators ask: does the process live, may it get requests."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accord import db
from accord.errors import AccordError
from accord.health import formats, runner
from accord.health.runner import HealthReport

READINESS_SECONDS = 5.0
"""How long an answer of `/readyz` counts, so that many probes cost as much as one."""
READINESS_TIMEOUT = 4.0
"""Seconds that a probe waits for a store at most."""


class Readiness:
    """
    What the checks of readiness found, at most some seconds ago.

    Args:
        look: Runs the checks.
        keep: Seconds that an answer counts.
        now: Time.
    """

    def __init__(
        self,
        look: Callable[[], HealthReport],
        keep: float = READINESS_SECONDS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look = look
        self._keep = keep
        self._now = now
        self._lock = Lock()
        self._report: HealthReport | None = None
        self._until = 0.0

    def report(self) -> HealthReport:
        """Return the last report, or a new one; of several who ask at once, one looks and the others wait."""
        with self._lock:
            if self._report is None or self._now() >= self._until:
                self._report = self._look()
                self._until = self._now() + self._keep
            return self._report


def _look() -> HealthReport:
    checks = [check for check in runner.discover() if check.readiness]
    return runner.run_checks(checks, timeout=READINESS_TIMEOUT)


_readiness = Readiness(_look)


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """
    Answer that the process lives. No store is asked, so that an outage of one restarts nothing.

    Staff gets what was found by the checks that keep it, such as live drift, with its age.
    """
    answer: dict[str, object] = {"status": "alive"}
    if _is_staff(request):
        answer["findings"] = _told(_last_looks())
    return JsonResponse(answer)


def _last_looks() -> HealthReport:
    try:
        checks = runner.last_looks(runner.discover())
    except AccordError:
        return HealthReport(findings=())
    return runner.run_checks(checks, timeout=READINESS_TIMEOUT)


def _told(report: HealthReport) -> Sequence[Mapping[str, Any]]:
    return [formats.finding_document(found) for found in report.findings]


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when every store answers and the code finds its schema, else 503; details for staff only."""
    try:
        report = _readiness.report()
    except AccordError:
        return JsonResponse({"status": "not ready"}, status=503)
    answer: dict[str, object] = {"status": "ready" if report.ready else "not ready"}
    if _is_staff(request):
        answer["findings"] = _told(report)
    return JsonResponse(answer, status=200 if report.ready else 503)


def _is_staff(request: HttpRequest) -> bool:
    try:
        user = getattr(request, "user", None)
        return bool(user and user.is_active and user.is_staff)
    except db.ERRORS:
        # Sessions live in a database that may be what isn't ready.
        return False
