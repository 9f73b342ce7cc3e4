"""Jobs in batches in the admin: how far each is, and who may pauses, resumes and stops it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accord import meanings
from accord.admin_parts import OfferedDecision, Pages, person_of
from accord.batch_models import BatchJob, BatchSlice, JobState, SliceState
from accord.batches import jobs, steering
from accord.display import chip, day, lasting
from accord.wording import say, worded

_REFRESH = 5
"""Seconds after which the page of a running job is asked for again, unless it is to stand still."""
_SHOWN = 200
_PAUSE = OfferedDecision(
    name="pause",
    label=_("Pause…"),
    submit=_("Pause this job"),
    explains=_("Every worker ends after its batch, and nothing is lost. The job can be resumed at any time."),
    leads=True,
)
_RESUME = OfferedDecision(
    name="resume",
    label=_("Resume…"),
    submit=_("Resume this job"),
    explains=_("It goes on where it stands; slices that failed are tried again."),
    leads=True,
)
_STOP = OfferedDecision(
    name="stop",
    label=_("Stop…"),
    submit=_("Stop this job"),
    explains=_(
        "Every worker ends after its batch, and whoever waits for the job is told that it was stopped."
    ),
)
_OFFERED: Mapping[str, Sequence[OfferedDecision]] = {
    JobState.RUNNING: (_PAUSE, _STOP),
    JobState.PAUSED: (_RESUME, _STOP),
    JobState.STOPPED: (_RESUME,),
    JobState.FAILED: (_RESUME,),
    JobState.DONE: (),
}
_KNOWN = {decision.name: decision for decision in (_PAUSE, _RESUME, _STOP)}


@admin.register(BatchJob)
class BatchJobAdmin(Pages):
    """Jobs, newest first."""

    list_display = ("name", "shown_state", "share", "shown_place", "begun", "finished")
    list_filter = ("state", "place", "made_at")
    search_fields = ("name", "kind", "reference")
    search_help_text = _("Name, kind of work, reference")
    date_hierarchy = "made_at"
    page_template = "admin/accord/batchjob/page.html"
    empty_says = _("Nothing was done in batches yet.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[BatchJob]:
        return jobs.all_of_them()

    def get_urls(self) -> list[URLPattern]:
        """Add the confirm pages."""
        return [self.address(act, self.steer, act=act) for act in steering.ACTS] + super().get_urls()

    def facts(self, request: HttpRequest, shown: BatchJob) -> dict[str, Any]:
        """Show how far a job is, and its slices: those under way and those that failed first."""
        far = jobs.progress(shown)
        moves = shown.state == JobState.RUNNING
        return {
            "job": shown,
            "far": far,
            "state": self.shown_state(shown),
            "share": self.share(shown),
            "left": lasting(far.seconds_left if moves else None),
            "slices": _slices(shown),
            "more": max(far.count - _SHOWN, 0),
            "moves": moves,
            "refresh": _REFRESH if moves and "still" not in request.GET else 0,
        }

    def decisions(self, request: HttpRequest, shown: BatchJob) -> Sequence[OfferedDecision]:
        """Return what may be done with a job as it stands, with what hinders this account."""
        hindrance = "" if request.user.has_perm(steering.STEER) else _lacking()
        return [replace(decision, hindrance=hindrance) for decision in _OFFERED[shown.state]]

    def steer(self, request: HttpRequest, object_id: str, act: str) -> HttpResponse:
        """Pause, resume or stop a job; only a POST does."""
        shown: BatchJob = self.found(request, object_id)
        if request.method != "POST":
            offered = {decision.name: decision for decision in self.decisions(request, shown)}
            decision = offered.get(act) or replace(_KNOWN[act], hindrance=_unfit(shown))
            context = {**self.asking(request, shown, decision), "state": self.shown_state(shown)}
            return TemplateResponse(request, "admin/accord/batchjob/steer.html", context)
        act_now = partial(self._steered, shown, act, request)
        return self.have_done(request, act_now, "", shown)

    def _steered(self, shown: BatchJob, act: str, request: HttpRequest) -> str:
        if not steering.steer(shown, act, person_of(request)):
            return _unfit(shown)
        return str(_("The job is now: %s.") % shown.get_state_display())

    @admin.display(description=_("state"), ordering="state")
    def shown_state(self, job: BatchJob) -> SafeString:
        """Show the state as a chip."""
        return chip(job.state, job.get_state_display())

    @admin.display(description=_("slices done"))
    def share(self, job: BatchJob) -> str:
        """Show how many slices are done, of how many."""
        far = jobs.progress(job)
        return f"{far.done} / {far.count}"

    @admin.display(description=_("where it runs"), ordering="place")
    def shown_place(self, job: BatchJob) -> str:
        """Show where it runs, and by how many workers."""
        return f"{job.get_place_display()} ({job.workers})" if job.workers > 1 else job.get_place_display()

    @admin.display(description=_("begun"), ordering="made_at")
    def begun(self, job: BatchJob) -> str:
        """Show when it began, short enough for a list."""
        return day(job.made_at)

    @admin.display(description=_("ended"), ordering="ended_at")
    def finished(self, job: BatchJob) -> str:
        """Show when it ended, short enough for a list."""
        return day(job.ended_at)


_FIRST = (SliceState.FAILED, SliceState.RUNNING, SliceState.WAITING, SliceState.DONE)


def _slices(job: BatchJob) -> list[tuple[BatchSlice, SafeString]]:
    found = BatchSlice.objects.using(job._state.db).filter(job=job)
    listed: list[BatchSlice] = []
    for state in _FIRST:
        listed.extend(found.filter(state=state).order_by("number")[: _SHOWN - len(listed)])
    return [(one, chip(one.state, one.get_state_display())) for one in listed]


def _lacking() -> str:
    return worded(
        say(
            "This account lacks the permission {permissions}.",
            permissions=meanings.permissions([steering.STEER]),
        )
    )


def _unfit(job: BatchJob) -> str:
    return str(_("As the job stands, there is nothing to change: %s.") % job.get_state_display())
