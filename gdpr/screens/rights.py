"""Requests for correction, and objections, in the admin: put on record, taken up, answered, refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters

from accord import clock
from accord.admin_parts import OfferedDecision, person_of, refused
from accord.choosing import OwnChoice
from accord.display import chip, day
from accord.errors import AccordError
from accord.wording import explained
from gdpr.models import RightsRequest
from gdpr.screens.base import WEEK, GdprPages, masked, name
from gdpr.screens.forms import PersonForm
from gdpr.states import Channel, RightKind, RightRefusal, RightState

FILE = "gdpr.add_rightsrequest"
ANSWER = "gdpr.change_rightsrequest"
_OPEN = (RightState.RECEIVED, RightState.IN_WORK)


def _words(label: Any, help_text: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4, "cols": 70}),
        help_text=help_text,
    )


class FileRightForm(PersonForm):
    """Who asks, for what, since when. What is typed stands in no address."""

    kind = OwnChoice(label=_("Which right"), choices=RightKind.choices)
    words = _words(_("What the person asks for"), _("Kept encrypted until it is answered, then destroyed."))
    received_on = forms.DateField(
        label=_("Day of receipt"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("On which it came in: the month to answer it counts from there. Empty: today."),
    )


class AnswerForm(forms.Form):
    """What was done."""

    note = _words(_("What was done"), _("Kept encrypted, for whoever has to account for it."))


class RefuseForm(AnswerForm):
    """Why nothing is done."""

    ground = OwnChoice(label=_("Legal ground"), choices=RightRefusal.choices)
    field_order = ("ground", "note")


_ACTS = {
    "take": (
        forms.Form,
        OfferedDecision(
            name="take",
            label=_("Take it up…"),
            submit=_("Take it up"),
            explains=_("Others see that you work on it. The month goes on."),
        ),
        _("You work on it now."),
    ),
    "answer": (
        AnswerForm,
        OfferedDecision(
            name="answer",
            label=_("Answered…"),
            submit=_("Note that it is answered"),
            explains=_(
                "You vouch that the project did what was asked for, and that the person was told. Who asked, "
                "and for what, is destroyed."
            ),
            leads=True,
        ),
        _("Noted. The request is closed."),
    ),
    "refuse": (
        RefuseForm,
        OfferedDecision(
            name="refuse",
            label=_("Refuse…"),
            submit=_("Refuse it"),
            explains=_("The person has to be told why within the month, and where to complain (Art. 12(4))."),
        ),
        _("Refused. Tell the person why, and where to complain."),
    ),
}


@admin.register(RightsRequest)
class RightsRequestAdmin(GdprPages):
    """Those that are open, by their deadline."""

    list_display = ("short", "kind", "shown_state", "due", "subject", "worker")
    list_filter = ("kind", "state")
    search_fields = ("reference__startswith",)
    search_help_text = _("Reference, or the beginning of it")
    change_list_template = "admin/gdpr/rightsrequest/change_list.html"
    page_template = "admin/gdpr/rightsrequest/page.html"
    empty_says = _("Nobody has asked for correction, or objected. “File a request…” puts one on record.")

    def get_urls(self) -> list[URLPattern]:
        """Add what is asked before something is done."""
        own = [self.address("file", self.file, of_row=False)]
        return own + [self.address(act, self.act, act=act) for act in _ACTS] + super().get_urls()

    def title_of(self, shown: RightsRequest) -> str:
        """Name a request."""
        return f"{shown.get_kind_display()} {self.short(shown)}"

    def facts(self, request: HttpRequest, shown: RightsRequest) -> dict[str, Any]:
        """Show a request; what is asked for to those who answer it."""
        return {
            "state": self.shown_state(shown),
            "due": self.due(shown),
            "subject": self.subject(shown),
            "filer": name(shown.filed_by_id),
            "worker": self.worker(shown),
            "answerer": name(shown.answered_by_id),
            **(_sealed(shown) if request.user.has_perm(ANSWER) else {}),
        }

    def decisions(self, request: HttpRequest, shown: RightsRequest) -> Sequence[OfferedDecision]:
        """Return what may be done about a request that is open, to those who may."""
        if shown.state not in _OPEN or not request.user.has_perm(ANSWER):
            return ()
        taken = shown.state == RightState.IN_WORK
        return [decision for act, (_form, decision, _said) in _ACTS.items() if not (taken and act == "take")]

    @method_decorator(sensitive_post_parameters("key", "words"))
    def file(self, request: HttpRequest) -> HttpResponse:
        """Put a request on record; only a POST does."""
        if not request.user.has_perm(FILE):
            raise refused(request)
        form = FileRightForm(request.POST if request.method == "POST" else None)
        filed = self._filed(request, form.cleaned_data) if form.is_valid() else None
        if filed is not None:
            messages.success(request, gettext("The request is on record."))
            seen = self.has_view_permission(request)
            return HttpResponseRedirect(self.page_of(filed) if seen else self.url("file"))
        context = {
            **self.context_of(request, None, gettext("File a request")),
            "form": form,
            "submit": _("Put it on record"),
            "page_url": self.url("changelist"),
        }
        return TemplateResponse(request, "admin/gdpr/rightsrequest/file.html", context)

    def _filed(self, request: HttpRequest, said: dict[str, Any]) -> RightsRequest | None:
        """File it; tell what is refused as a message."""
        from gdpr.datamap.map import load_data_map
        from gdpr.erasure import deadlines
        from gdpr.rights import requests

        on = said["received_on"]
        try:
            return requests.file(
                load_data_map().resolve(said["key"], kind=said.get("of_kind", "")),
                RightKind(said["kind"]),
                words=said["words"],
                by=person_of(request),
                channel=Channel.ADMIN,
                received_at=deadlines.received_on(on, clock.now()) if on else None,
            )
        except AccordError as exc:
            self.tell(request, exc)
            return None

    @method_decorator(sensitive_post_parameters("note"))
    def act(self, request: HttpRequest, object_id: str, act: str) -> HttpResponse:
        """Ask what is needed, and have it done; only a POST does."""
        shown: RightsRequest = self.found(request, object_id)
        kind, decision, said = _ACTS[act]
        form = kind(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            return self.have_done(request, lambda: _done(shown, act, request, form.cleaned_data), said, shown)
        context = {**self.asking(request, shown, decision, form), "subject": self.subject(shown)}
        return TemplateResponse(request, "admin/gdpr/rightsrequest/act.html", context)

    @admin.display(description=_("request"), ordering="reference")
    def short(self, shown: RightsRequest) -> str:
        """Show the beginning of the reference."""
        return str(shown.reference)[:8]

    @admin.display(description=_("state"), ordering="state")
    def shown_state(self, shown: RightsRequest) -> SafeString:
        """Show the state as a chip."""
        return chip(_TONES.get(shown.state, shown.state), shown.get_state_display())

    @admin.display(description=_("due"), ordering="due_at")
    def due(self, shown: RightsRequest) -> str | SafeString:
        """Show the days that are left."""
        from gdpr.erasure import deadlines

        if shown.state not in _OPEN:
            return day(shown.closed_at)
        days = deadlines.days_left(shown.due_at, clock.now())
        if days < 0:
            return chip("overdue", ngettext("%d day late", "%d days late", -days) % -days)
        left = ngettext("in %d day", "in %d days", days) % days
        return chip("soon", left) if days < WEEK.days else left

    @admin.display(description=_("person"))
    def subject(self, shown: RightsRequest) -> SafeString:
        """Show the person masked."""
        return masked(shown.subject_kind, shown.subject_tag)

    @admin.display(description=_("taken up by"))
    def worker(self, shown: RightsRequest) -> str:
        """Show who works on it."""
        return name(shown.taken_by_id)


_TONES = {"in_work": "executing", "answered": "completed", "refused": "rejected", "withdrawn": "cancelled"}


def _sealed(shown: RightsRequest) -> dict[str, Any]:
    """Open what the person asks for and what was done; what can't be opened says why."""
    from gdpr.rights import requests

    try:
        if shown.state not in _OPEN:
            return {"note": requests.note_of(shown)}
        asked = requests.asked(shown)
    except AccordError as exc:
        return {"fault": explained(exc)}
    return {"words": asked.words, "keys": asked.keys.alternates}


def _done(shown: RightsRequest, act: str, request: HttpRequest, said: dict[str, Any]) -> None:
    from gdpr.rights import requests

    person = person_of(request)
    if act == "take":
        requests.take(shown, by=person)
    elif act == "answer":
        requests.answer(shown, said["note"], by=person)
    else:
        requests.refuse(shown, RightRefusal(said["ground"]), said["note"], by=person)
