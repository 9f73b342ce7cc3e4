"""The page on which staff find what is on record of a person, by a key that no address holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accord.admin_parts import refused
from accord.errors import AccordError
from accord.wording import explained
from gdpr.models import ConsentEvent, ErasureRequest, KeptExport, LegalHold, Restriction, RightsRequest
from gdpr.screens.base import GdprPages, masked

if TYPE_CHECKING:
    from gdpr.datamap.subjects import SubjectKeys

_KINDS: Sequence[type[Model]] = (
    ErasureRequest,
    RightsRequest,
    LegalHold,
    Restriction,
    KeptExport,
    ConsentEvent,
)
_SHOWN = 50
"""Rows of each kind that are shown, the newest first."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """
    What is on record of one kind.

    Attributes:
        name: What such rows are called.
        rows: Their titles, with the address of their page.
        more: Whether there are more than are shown.
    """

    name: str
    rows: Sequence[tuple[str, str]]
    more: bool


def finding(pages: GdprPages, request: HttpRequest) -> HttpResponse:
    """
    Ask for the key of a person, and show what is on record of them.

    Args:
        pages: The pages of requests.
        request: A POST has the key in its body.

    Raises:
        PermissionDenied: The account may not look at requests.
    """
    from gdpr.erasure import on_record
    from gdpr.screens.forms import PersonForm

    if not pages.has_view_permission(request):
        raise refused(request)
    form = PersonForm(request.POST if request.method == "POST" else None)
    found = _on_record(request, form.cleaned_data) if form.is_valid() else None
    context = {
        **pages.context_of(request, None, gettext("What is on record of a person")),
        "form": form,
        "submit": _("Show what is on record"),
        "page_url": pages.url("changelist"),
        "again_url": pages.url("person"),
    }
    if found is None:
        return TemplateResponse(request, "admin/gdpr/person_find.html", context)
    tag = on_record.tags(found)[0]
    shown = {"subject": masked(found.kind, tag), "groups": list(_groups(pages, request, found))}
    return TemplateResponse(request, "admin/gdpr/person.html", {**context, **shown})


def _on_record(request: HttpRequest, said: Mapping[str, str]) -> SubjectKeys | None:
    from gdpr.erasure import on_record

    try:
        return on_record.find(said["key"], _KINDS, kind=said.get("of_kind", ""))
    except AccordError as exc:
        messages.error(request, explained(exc))
        return None


def _groups(pages: GdprPages, request: HttpRequest, found: SubjectKeys) -> Iterator[Group]:
    """Yield what this account may look at, of each kind of which there is something."""
    from gdpr.erasure import on_record

    for model in _KINDS:
        others: Any = pages.admin_site.get_model_admin(model)
        rows = list(on_record.rows(found, model)[: _SHOWN + 1]) if others.has_view_permission(request) else []
        if rows:
            titles = [(str(others.title_of(row)), others.page_of(row)) for row in rows[:_SHOWN]]
            name = str(model._meta.verbose_name_plural)
            yield Group(name=name, rows=titles, more=len(rows) > _SHOWN)
