"""Access tokens in the admin: whose there are, and an end to one; what signs in is nowhere to be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accord import clock, tokens
from accord.admin_parts import OfferedDecision, Pages, person_of
from accord.audit import denials
from accord.display import chip, day
from accord.errors import AccordError
from accord.models import AccessToken
from accord.wording import explained, worded

_REVOKE = OfferedDecision(
    name="revoke",
    label=_("Revoke…"),
    submit=_("Revoke this token"),
    explains=_("Whatever acts by it is signed out at once. It can't be had back; a new one is made instead."),
    leads=True,
)


@admin.register(AccessToken)
class AccessTokenAdmin(Pages):
    """Tokens by which programs act as accounts."""

    list_display = ("short", "owner", "label", "kind", "shown_state", "made", "expires")
    list_filter = ("service", "expires_at")
    search_fields = ("reference__startswith",)
    search_help_text = _("Beginning of a token behind “accord_”")
    page_template = "admin/accord/accesstoken/token.html"
    empty_says = _("There are no tokens. “accord_token create” makes one, and so does signing in to the API.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessToken]:
        return tokens.all_of_them()

    def get_urls(self) -> list[URLPattern]:
        """Add the confirm page."""
        return [self.address("revoke", self.revoke), *super().get_urls()]

    def title_of(self, shown: AccessToken) -> str:
        """Name a token."""
        return str(_("Access token %s") % shown.short)

    def facts(self, request: HttpRequest, shown: AccessToken) -> dict[str, Any]:
        """Show a token."""
        return {"state": self.shown_state(shown), "owner": self.owner(shown), "kind": self.kind(shown)}

    def decisions(self, request: HttpRequest, shown: AccessToken) -> Sequence[OfferedDecision]:
        """Offer its end."""
        return (_offered(shown, request),)

    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End a token; only a POST does."""
        shown: AccessToken = self.found(request, object_id)
        if request.method != "POST":
            context = {**self.asking(request, shown, _offered(shown, request)), **self.facts(request, shown)}
            return TemplateResponse(request, "admin/accord/accesstoken/revoke.html", context)
        try:
            tokens.revoke(shown, by=person_of(request))
        except AccordError as exc:
            denials.note(exc)
            messages.error(request, explained(exc))
            return HttpResponseRedirect(self.page_of(shown))
        messages.success(request, _("The token is revoked."))
        return HttpResponseRedirect(self.url("changelist"))

    @admin.display(description=_("token"), ordering="reference")
    def short(self, shown: AccessToken) -> str:
        """Show the beginning of the reference."""
        return shown.short

    @admin.display(description=_("account"), ordering="account")
    def owner(self, shown: AccessToken) -> str:
        """Show whom it signs in."""
        account = tokens.owner(shown)
        return str(_("deleted")) if account is None else account.get_username()

    @admin.display(description=_("who acts by it"), ordering="service")
    def kind(self, shown: AccessToken) -> str:
        """Show whether a program alone has it."""
        return str(_("a program, which decides nothing") if shown.service else _("the account"))

    @admin.display(description=_("state"))
    def shown_state(self, shown: AccessToken) -> SafeString:
        """Show whether it signs in."""
        account = tokens.owner(shown)
        if clock.aware(shown.expires_at) <= clock.now():
            return chip("expired", str(_("expired")))
        if account is None or not account.is_active or not tokens.has_its_password(account, shown):
            return chip("cancelled", str(_("ended with its account or password")))
        return chip("approved", str(_("active")))

    @admin.display(description=_("made"), ordering="made_at")
    def made(self, shown: AccessToken) -> str:
        """Show when it was made."""
        return day(shown.made_at)

    @admin.display(description=_("expires"), ordering="expires_at")
    def expires(self, shown: AccessToken) -> str:
        """Show until when it counts."""
        return day(shown.expires_at)


def _offered(shown: AccessToken, request: HttpRequest) -> OfferedDecision:
    try:
        tokens.require_revocable(shown, person_of(request))
    except AccordError as exc:
        return replace(_REVOKE, hindrance=worded(exc.message))
    return _REVOKE
