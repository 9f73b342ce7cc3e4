"""The restore centre: what was restored, whom that brought back, and having them erased again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters

from accord.admin_parts import person_of, refused
from accord.display import chip
from accord.errors import AccordError
from gdpr.models import RegisterMark
from gdpr.screens.base import GdprPages

EXECUTE = "gdpr.execute_erasurerequest"
OWN_PASSWORD = "own_password"  # noqa: S105 - the name of a field

_STATES = {
    "even": ("completed", _("as it was left")),
    "behind": ("planned", _("is told with the next run")),
    "restored": ("error", _("restored")),
    "replaying": ("executing", _("replay begun")),
    "away": ("away", _("away")),
}


class AnswerForm(forms.Form):
    """Who has the key of an erased person now."""

    reference = forms.RegexField(r"^[0-9a-f]{32}$")
    answer = forms.ChoiceField(choices=[("", ""), ("same", ""), ("another", "")])


@admin.register(RegisterMark)
class RestoreCentre(GdprPages):
    """One page: the register, the stores' marks, and what a restore undid."""

    def get_urls(self) -> list[URLPattern]:
        """Add what a person may have done."""
        own = [
            self.address("begin", self.begin, of_row=False),
            self.address("answer", self.answer, of_row=False),
        ]
        return own + super().get_urls()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow whoever may carry erasures out to look, too."""
        return super().has_view_permission(request, obj) or request.user.has_perm(EXECUTE)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show how everything stands. A register or a store that is away is said to be."""
        from gdpr import replaying, restore_state
        from gdpr.screens import proof

        if not self.has_view_permission(request):
            raise refused(request)
        now = restore_state.look()
        context = {
            **self.context_of(request, None, gettext("Restore centre")),
            "list_url": "",
            "may_act": request.user.has_perm(EXECUTE),
            "asks_for_proof": proof.is_asked_for(),
            "begin_url": self.url("begin"),
            "answer_url": self.url("answer"),
            "register": now.register,
            "stores": [
                (line, chip(_STATES[line.state][0], str(_STATES[line.state][1]))) for line in now.stores
            ],
            "away": now.away,
            "brought": now.brought,
            "waits_to_begin": now.waits_to_begin,
            "begun": now.begun,
            "asked_code": replaying.ASKED,
        }
        return TemplateResponse(request, "admin/gdpr/restores.html", context)

    @method_decorator(sensitive_post_parameters(OWN_PASSWORD))
    def begin(self, request: HttpRequest) -> HttpResponse:
        """Begin the replay; gdpr_process carries it out. Only a POST does."""
        from gdpr import replaying

        said = _("The replay has begun. The next gdpr_process erases again whom the restore brought back.")
        return self._act(request, lambda: replaying.begin(by=person_of(request)), said)

    @method_decorator(sensitive_post_parameters(OWN_PASSWORD))
    def answer(self, request: HttpRequest) -> HttpResponse:
        """Note who has the key of an erased person now. Only a POST does."""
        from gdpr import replaying

        form = AnswerForm(request.POST)
        if request.method == "POST" and not form.is_valid():
            return HttpResponseRedirect(self.url("changelist"))

        def act() -> None:
            told = form.cleaned_data
            replaying.answer(told["reference"], told["answer"], by=person_of(request))

        return self._act(request, act, _("The answer is on record."))

    def _act(self, request: HttpRequest, act: Callable[[], object], said: Any) -> HttpResponse:
        from gdpr import reauthentication
        from gdpr.screens import proof

        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_view_permission(request):
            raise refused(request)
        try:
            if proof.is_asked_for() and not reauthentication.is_proved(
                request, person_of(request), request.POST.get(OWN_PASSWORD, ""), "replay"
            ):
                messages.error(request, gettext("That is not your password."))
            else:
                act()
                messages.success(request, said)
        except AccordError as exc:
            self.tell(request, exc)
        return HttpResponseRedirect(self.url("changelist"))
