"""Putting a demand on record in the admin: about whom, why, and since when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accord import clock
from accord.admin_parts import person_of, refused
from accord.choosing import OwnChoice
from accord.errors import AccordError
from gdpr.datamap.map import load_data_map
from gdpr.erasure import actors, deadlines, requests
from gdpr.models import ErasureRequest
from gdpr.screens.base import GdprPages
from gdpr.screens.forms import PersonForm
from gdpr.states import Channel, Ground, IdentityMethod, RequestState

_NOT_YET = "not_yet"


class FilingForm(PersonForm):
    """Who asks to be erased, and what is known of the demand. What is typed stands in no address."""

    key = forms.CharField(
        label=_("Key of the person"),
        max_length=320,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True, "size": 40}),
        help_text=_("Any key that the data map declares. It is kept encrypted until the request is closed."),
    )
    ground = OwnChoice(label=_("Why the person may demand it"), choices=Ground.choices)
    received_on = forms.DateField(
        label=_("Day of receipt"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("On which the demand came in: the month to answer it counts from there. Empty: today."),
    )
    identity = OwnChoice(
        label=_("How it was made sure who asks"), choices=[(_NOT_YET, _("not yet")), *IdentityMethod.choices]
    )


def filing(pages: GdprPages, request: HttpRequest) -> HttpResponse:
    """
    Ask what is needed, and put the demand on record; only a POST does.

    Args:
        pages: The pages that this one stands among.
        request: The request.

    Raises:
        PermissionDenied: The account may not file.
    """
    if not request.user.has_perm(actors.FILE):
        raise refused(request)
    form = FilingForm(request.POST if request.method == "POST" else None)
    filed = _filed(pages, request, form.cleaned_data) if form.is_valid() else None
    if filed is not None:
        return HttpResponseRedirect(_next_page(pages, request, filed))
    context = {
        **pages.context_of(request, None, gettext("File a demand")),
        "form": form,
        "submit": _("Put it on record"),
        "page_url": pages.url("changelist"),
    }
    return TemplateResponse(request, "admin/gdpr/erasurerequest/file.html", context)


def _filed(pages: GdprPages, request: HttpRequest, said: Mapping[str, Any]) -> ErasureRequest | None:
    """File it; tell what is refused as a message."""
    day, identity = said["received_on"], said["identity"]
    try:
        filed = requests.file_request(
            load_data_map().resolve(said["key"], kind=said.get("of_kind", "")),
            by=person_of(request),
            channel=Channel.ADMIN,
            ground=Ground(said["ground"]),
            identity=None if identity == _NOT_YET else IdentityMethod(identity),
            received_at=deadlines.received_on(day, clock.now()) if day else None,
        )
    except AccordError as exc:
        pages.tell(request, exc)
        return None
    _tell(request, filed)
    return filed


def _tell(request: HttpRequest, filed: ErasureRequest) -> None:
    if filed.state == RequestState.DUPLICATE and filed.canonical is not None:
        known = gettext("This person has an open request: %s. The new demand counts as that one.")
        messages.info(request, known % filed.canonical.reference[:8])
        return
    messages.success(request, gettext("The demand is on record. Have it planned next."))


def _next_page(pages: GdprPages, request: HttpRequest, filed: ErasureRequest) -> str:
    """Return where to go on; whoever files need not be allowed to look."""
    if not pages.has_view_permission(request):
        return pages.url("file")
    return pages.page_of(filed.canonical or filed)
