"""Exports in the admin: made for one person, encrypted for their reader, and gone after some days."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters

from accord import conf
from accord.admin_parts import person_of, refused
from accord.display import chip, day
from accord.errors import AccordError
from gdpr.models import KeptExport
from gdpr.screens.base import GdprPages, masked, name

EXPORT = "gdpr.export_person"
SECRETS = ("key", "password", "again", "own_password")


@admin.register(KeptExport)
class KeptExportAdmin(GdprPages):
    """What was made, for whom, and until when it can be downloaded."""

    list_display = ("short", "shown_state", "subject", "maker", "made", "expires", "downloads")
    search_fields = ("reference__startswith",)
    search_help_text = _("Reference, or the beginning of it")
    change_list_template = "admin/gdpr/keptexport/change_list.html"
    page_template = "admin/gdpr/keptexport/page.html"
    empty_says = _(
        "Nothing is kept for anybody. “Export a person's data…” makes a file, encrypted for its reader."
    )

    def get_urls(self) -> list[URLPattern]:
        """Add what is done with exports."""
        own = [
            self.address("make", self.make, of_row=False),
            self.address("download", self.download),
            self.address("remove", self.remove),
        ]
        return own + super().get_urls()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow those who may make exports."""
        return request.user.has_perm(EXPORT)

    def title_of(self, shown: KeptExport) -> str:
        """Name an export."""
        return str(_("Export %s") % self.short(shown))

    def facts(self, request: HttpRequest, shown: KeptExport) -> dict[str, Any]:
        """Show an export, and what can be done with it."""
        from gdpr import kept_exports

        return {
            "state": self.shown_state(shown),
            "subject": self.subject(shown),
            "maker": self.maker(shown),
            "most": f"{conf.load().export_downloads:g}",
            "over": kept_exports.is_over(shown),
            "download_url": self.url("download", shown.pk),
            "remove_url": self.url("remove", shown.pk),
        }

    @method_decorator(sensitive_post_parameters(*SECRETS))
    def make(self, request: HttpRequest) -> HttpResponse:
        """Ask for whom and of whom, and make it; only a POST does."""
        from gdpr.screens.export_form import ExportForm

        if not self.has_view_permission(request):
            raise refused(request)
        form = ExportForm(request.POST if request.method == "POST" else None)
        made = self._made(request, form) if form.is_proved(request, "export") else None
        if made is not None:
            messages.success(request, gettext("The export is made. Download it here."))
            return HttpResponseRedirect(self.page_of(made))
        context = {
            **self.context_of(request, None, gettext("Export a person's data")),
            "form": form,
            "submit": _("Make the export"),
            "page_url": self.url("changelist"),
        }
        return TemplateResponse(request, "admin/gdpr/keptexport/make.html", context)

    def _made(self, request: HttpRequest, form: Any) -> KeptExport | None:
        """Make it; tell what is refused beside the form."""
        from gdpr import kept_exports
        from gdpr.datamap.map import load_data_map
        from gdpr.export import ExportFormat

        said = form.cleaned_data
        try:
            keys = load_data_map().resolve(said["key"], kind=said.get("of_kind", ""))
            return kept_exports.make(
                keys,
                form.envelope,
                ExportFormat(said["form"]),
                by=person_of(request),
                portable=said["portable"],
            )
        except AccordError as exc:
            self.tell(request, exc)
            return None

    def download(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Hand the encrypted file over; a POST, because each download counts."""
        from gdpr import kept_exports

        shown: KeptExport = self.found(request, object_id)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            content = kept_exports.download(shown, by=person_of(request))
        except AccordError as exc:
            self.tell(request, exc)
            return HttpResponseRedirect(self.page_of(shown))
        answer = HttpResponse(content, content_type="application/octet-stream")
        answer["Content-Disposition"] = f'attachment; filename="{kept_exports.path_of(shown).name}"'
        return answer

    def remove(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Delete the file before its time; only a POST does."""
        from gdpr import kept_exports

        shown: KeptExport = self.found(request, object_id)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        said = _("The file is deleted.")
        return self.have_done(request, lambda: kept_exports.delete(shown, by=person_of(request)), said, shown)

    @admin.display(description=_("export"), ordering="reference")
    def short(self, shown: KeptExport) -> str:
        """Show the beginning of the reference."""
        return str(shown.reference)[:8]

    @admin.display(description=_("state"))
    def shown_state(self, shown: KeptExport) -> SafeString:
        """Show whether it can be downloaded."""
        from gdpr import kept_exports

        if shown.deleted_at is not None:
            return chip("cancelled", gettext("deleted"))
        over = kept_exports.is_over(shown)
        return chip("cancelled", gettext("over")) if over else chip("completed", gettext("ready"))

    @admin.display(description=_("person"))
    def subject(self, shown: KeptExport) -> SafeString:
        """Show the person masked."""
        return masked(shown.subject_kind, shown.subject_tag)

    @admin.display(description=_("made by"))
    def maker(self, shown: KeptExport) -> str:
        """Show who made it."""
        return name(shown.made_by_id)

    @admin.display(description=_("made"), ordering="made_at")
    def made(self, shown: KeptExport) -> str:
        """Show when, short enough for a list."""
        return day(shown.made_at)

    @admin.display(description=_("expires"), ordering="expires_at")
    def expires(self, shown: KeptExport) -> str:
        """Show when it is deleted, short enough for a list."""
        return day(shown.expires_at)
