"""Consents in the admin: what happened, one person's over time, and the words that people were shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters

from accord.admin_parts import refused
from accord.display import chip, day
from accord.errors import AccordError
from accord.wording import explained
from gdpr.models import ConsentEvent, ConsentNotice
from gdpr.screens.base import GdprPages, masked, name


@admin.register(ConsentEvent)
class ConsentEventAdmin(GdprPages):
    """What happened to consents, newest first."""

    list_display = ("happened", "purpose", "shown_type", "subject", "words", "channel", "given_by")
    list_filter = ("type", "purpose", "method", "given_by")
    search_fields = ("reference__startswith",)
    search_help_text = _("Reference, or the beginning of it")
    list_select_related = ("notice",)
    ordering = ("-at", "-pk")
    change_list_template = "admin/gdpr/consentevent/change_list.html"
    page_template = "admin/gdpr/consentevent/page.html"
    empty_says = _(
        "Nobody has been asked yet. gdpr.consent.register publishes a notice and records what people "
        "say to it."
    )

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of one person."""
        own = [
            self.address("person", self.find, of_row=False),
            self.address("timeline", self.timeline),
        ]
        return own + super().get_urls()

    def title_of(self, shown: ConsentEvent) -> str:
        """Name an event."""
        return f"{shown.purpose}: {shown.get_type_display()}"

    def facts(self, request: HttpRequest, shown: ConsentEvent) -> dict[str, Any]:
        """Show an event."""
        from gdpr.consent import register

        return {
            "grants": shown.type in register.GRANTS,
            "state": self.shown_type(shown),
            "subject": self.subject(shown),
            "recorder": name(shown.recorded_by_id),
            "timeline_url": self.url("timeline", shown.pk),
        }

    @method_decorator(sensitive_post_parameters("key"))
    def find(self, request: HttpRequest) -> HttpResponse:
        """Ask for the key of a person, and go to their timeline, whose address doesn't hold it."""
        from gdpr.screens.forms import PersonForm

        if not self.has_view_permission(request):
            raise refused(request)
        form = PersonForm(request.POST if request.method == "POST" else None)
        event = self._newest(request, form.cleaned_data) if form.is_valid() else None
        if event is not None:
            return HttpResponseRedirect(self.url("timeline", event.pk))
        context = {
            **self.context_of(request, None, gettext("Consents of a person")),
            "form": form,
            "submit": _("Show the timeline"),
            "page_url": self.url("changelist"),
        }
        return TemplateResponse(request, "admin/gdpr/consentevent/find.html", context)

    def _newest(self, request: HttpRequest, said: Mapping[str, str]) -> ConsentEvent | None:
        from gdpr.screens import consent_context

        try:
            event = consent_context.newest_event(said["key"], said.get("of_kind", ""))
        except AccordError as exc:
            messages.error(request, explained(exc))
            return None
        if event is None:
            messages.info(request, gettext("This person was never asked for consent: nothing is on record."))
        return event

    def timeline(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show everything that happened to the consents of the person whom an event is about."""
        from gdpr.consent import register
        from gdpr.screens import consent_context

        shown: ConsentEvent = self.found(request, object_id)
        who = register.Someone(kind=shown.subject_kind, tag=shown.subject_tag)
        context = {
            **self.context_of(request, None, gettext("Consents of one person")),
            "subject": self.subject(shown),
            "purposes": consent_context.purposes(who),
            "intact": register.verify_history(who),
            "find_url": self.url("person"),
        }
        return TemplateResponse(request, "admin/gdpr/consentevent/timeline.html", context)

    @admin.display(description=_("at"), ordering="at")
    def happened(self, shown: ConsentEvent) -> str:
        """Show when, short enough for a list."""
        return day(shown.at)

    @admin.display(description=_("notice"), ordering="notice__version")
    def words(self, shown: ConsentEvent) -> str:
        """Show which words the person saw; the purpose stands beside it."""
        return f"{shown.notice.version} ({shown.notice.language})"

    @admin.display(description=_("event"), ordering="type")
    def shown_type(self, shown: ConsentEvent) -> SafeString:
        """Show the event as a chip."""
        return chip(shown.type, shown.get_type_display())

    @admin.display(description=_("person"))
    def subject(self, shown: ConsentEvent) -> SafeString:
        """Show the person masked."""
        return masked(shown.subject_kind, shown.subject_tag)


@admin.register(ConsentNotice)
class ConsentNoticeAdmin(GdprPages):
    """The words that people were shown, and what changed in them."""

    list_display = ("purpose", "version", "language", "published", "consents_stay")
    list_filter = ("purpose", "language")
    search_fields = ("purpose", "version")
    search_help_text = _("Purpose or version")
    page_template = "admin/gdpr/notice.html"
    empty_says = _(
        "No notice is published yet. gdpr.consent.register.publish_notice puts the words on record."
    )

    def title_of(self, shown: ConsentNotice) -> str:
        """Name a notice."""
        return str(shown)

    def facts(self, request: HttpRequest, shown: ConsentNotice) -> dict[str, Any]:
        """Show the words, and what changed since another version."""
        from gdpr.screens import consent_context

        versions = consent_context.other_versions(shown)
        chosen = {str(one.pk): one for one in versions}.get(request.GET.get("since", ""))
        other = chosen or consent_context.before(shown, versions)
        return {
            "versions": versions,
            "other": other,
            "pieces": consent_context.changes(other, shown) if other else (),
        }

    @admin.display(description=_("published"), ordering="published_at")
    def published(self, shown: ConsentNotice) -> str:
        """Show when, short enough for a list."""
        return day(shown.published_at)
