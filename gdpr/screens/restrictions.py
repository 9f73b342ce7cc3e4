"""Restrictions of processing in the admin: whose data are kept and not used, since when, and until when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters

from accord.admin_parts import OfferedDecision, person_of, refused
from accord.choosing import OwnChoice
from accord.display import chip, day
from accord.errors import AccordError
from gdpr.models import Restriction
from gdpr.screens.base import CountsFilter, GdprPages, hindered, masked, name
from gdpr.screens.forms import PersonForm
from gdpr.screens.proof import OWN_PASSWORD, ProofForm
from gdpr.states import RestrictionReason

# Services are loaded when a page needs them: every command imports this module.

RESTRICT = "gdpr.add_restriction"
LIFT = "gdpr.change_restriction"
_SUBJECT = "subject"
LIFTING = OfferedDecision(
    name="lift",
    label=_("Lift…"),
    submit=_("Lift this restriction"),
    explains=_(
        "The data may be used again, and an erasure that waited for it goes on. The person has to be told "
        "before (Art. 18(3)): “Letter…” on the page of the restriction writes that."
    ),
    leads=True,
)


class RestrictForm(PersonForm, ProofForm):
    """Whose data are restricted, and why. What is typed stands in no address."""

    key = forms.CharField(
        label=_("Key of the person"),
        max_length=320,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True, "size": 40}),
        help_text=_("Any key that the data map declares."),
    )
    reason = OwnChoice(label=_("Reason"), choices=RestrictionReason.choices)


class LiftForm(ProofForm):
    """On which day the person was told."""

    told_on = forms.DateField(
        label=_("Day on which the person was told"),
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("That the restriction will be lifted, and before it is."),
    )


class RestrictedFilter(CountsFilter):
    """Whether a restriction still counts."""

    ended, over = "lifted_at", _("lifted")


@admin.register(Restriction)
class RestrictionAdmin(GdprPages):
    """Whose data must not be used, the newest first."""

    list_display = ("short", "shown_state", "reason", "subject", "restricted")
    list_filter = (RestrictedFilter, "reason")
    search_fields = ("reference__startswith",)
    search_help_text = _("Reference, or the beginning of it")
    change_list_template = "admin/gdpr/restriction/change_list.html"
    page_template = "admin/gdpr/restriction/page.html"
    empty_says = _(
        "Nobody's data are restricted. “Restrict…” puts it on record, as “gdpr_restrict add KEY” does."
    )

    def get_urls(self) -> list[URLPattern]:
        """Add what is asked before something is done."""
        own = [
            self.address("restrict", self.restrict, of_row=False),
            self.address("lift", self.lift),
            self.address("letter", self.letter),
        ]
        return own + super().get_urls()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow whoever may lift one to look, too."""
        return super().has_view_permission(request, obj) or request.user.has_perm(LIFT)

    def title_of(self, shown: Restriction) -> str:
        """Name a restriction."""
        return str(_("Restriction %s") % self.short(shown))

    def facts(self, request: HttpRequest, shown: Restriction) -> dict[str, Any]:
        """Show a restriction."""
        return {
            "state": self.shown_state(shown),
            "subject": self.subject(shown),
            "restrictor": self.restrictor(shown),
            "lifter": name(shown.lifted_by_id),
        }

    def decisions(self, request: HttpRequest, shown: Restriction) -> Sequence[OfferedDecision]:
        """Offer the end of a restriction that counts, and the letter that comes before it."""
        from gdpr.screens import letters

        if shown.lifted_at is not None:
            return ()
        person = person_of(request)
        return (hindered(LIFTING, person, LIFT), *letters.offered(shown, person))

    @method_decorator(sensitive_post_parameters("key", OWN_PASSWORD))
    def restrict(self, request: HttpRequest) -> HttpResponse:
        """Put a restriction on record; only a POST does."""
        if not request.user.has_perm(RESTRICT):
            raise refused(request)
        form = RestrictForm(request.POST if request.method == "POST" else None)
        made = self._restricted(request, form.cleaned_data) if form.is_proved(request, _SUBJECT) else None
        if made is not None:
            messages.success(request, gettext("The restriction is on record."))
            seen = self.has_view_permission(request)
            return HttpResponseRedirect(self.page_of(made) if seen else self.url("restrict"))
        context = {
            **self.context_of(request, None, gettext("Restrict the processing of a person's data")),
            "form": form,
            "submit": _("Put it on record"),
            "page_url": self.url("changelist"),
        }
        return TemplateResponse(request, "admin/gdpr/restriction/restrict.html", context)

    def _restricted(self, request: HttpRequest, said: Mapping[str, Any]) -> Restriction | None:
        """Have it done; tell what is refused as a message."""
        from gdpr.datamap.map import load_data_map
        from gdpr.erasure import restrictions

        try:
            keys = load_data_map().resolve(said["key"], kind=said.get("of_kind", ""))
            return restrictions.restrict(keys, RestrictionReason(said["reason"]), by=person_of(request))
        except AccordError as exc:
            self.tell(request, exc)
            return None

    @method_decorator(sensitive_post_parameters(OWN_PASSWORD))
    def lift(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lift a restriction of which the person was told; only a POST does."""
        from gdpr.erasure import restrictions

        shown: Restriction = self.found(request, object_id)
        form, person = LiftForm(request.POST if request.method == "POST" else None), person_of(request)
        if form.is_proved(request, _SUBJECT):
            told_at = restrictions.told_on(form.cleaned_data["told_on"], shown)
            said = _("The restriction is lifted.")
            return self.have_done(
                request, lambda: restrictions.lift(shown, told_at=told_at, by=person), said, shown
            )
        asking = self.asking(request, shown, hindered(LIFTING, person, LIFT), form)
        context = {**asking, "subject": self.subject(shown)}
        return TemplateResponse(request, "admin/gdpr/restriction/lift.html", context)

    @method_decorator(sensitive_post_parameters("to"))
    def letter(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Write to the person; only a POST does."""
        from gdpr.screens.letters import writing

        shown: Restriction = self.found(request, object_id)
        return writing(self, request, shown, {"subject": self.subject(shown)})

    @admin.display(description=_("restriction"), ordering="reference")
    def short(self, shown: Restriction) -> str:
        """Show the beginning of the reference."""
        return str(shown.reference)[:8]

    @admin.display(description=_("state"))
    def shown_state(self, shown: Restriction) -> SafeString:
        """Show whether it counts."""
        lifted = shown.lifted_at is not None
        return chip("cancelled", str(_("lifted"))) if lifted else chip("blocked_hold", str(_("active")))

    @admin.display(description=_("person"))
    def subject(self, shown: Restriction) -> SafeString:
        """Show the person masked."""
        return masked(shown.subject_kind, shown.subject_tag)

    def restrictor(self, shown: Restriction) -> str:
        """Show who put it on record."""
        return name(shown.restricted_by_id)

    @admin.display(description=_("restricted"), ordering="restricted_at")
    def restricted(self, shown: Restriction) -> str:
        """Show since when, short enough for a list."""
        return day(shown.restricted_at)
