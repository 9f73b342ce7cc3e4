"""What the admin's pages of this app have in common."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.forms import Media
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from accord.admin_parts import ReadOnly
from accord.errors import AccordError
from gdpr.states import RequestState

OVER = (
    RequestState.COMPLETED,
    RequestState.COMPLETED_WITH_RETENTION,
    RequestState.REJECTED,
    RequestState.CANCELLED,
    RequestState.DUPLICATE,
)
WEEK = timedelta(days=7)


class DueFilter(admin.SimpleListFilter):
    """How soon open requests are due."""

    title = _("due")
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("over", _("overdue")), ("week", _("within a week")), ("later", _("later"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        now = timezone.now()
        limits: dict[str | None, dict[str, Any]] = {
            "over": {"due_at__lt": now},
            "week": {"due_at__gte": now, "due_at__lt": now + WEEK},
            "later": {"due_at__gte": now + WEEK},
        }
        wanted = limits.get(self.value())
        return queryset if wanted is None else queryset.exclude(state__in=OVER).filter(**wanted)


def masked(kind: str, tag: str) -> str:
    """Name a person by the end of their tag: enough to see that two are the same one."""
    return f"{kind.rpartition('.')[2]} …{tag[-8:]}"


def name(account: int | str | None) -> str:
    """Name an account of staff, which may be gone."""
    from gdpr import pages

    return pages.name_of(account)


def day(moment: datetime | None) -> str:
    """Write a moment, short enough for a list."""
    return "-" if moment is None else f"{localtime(moment):%Y-%m-%d %H:%M}"


class Pages(ReadOnly):
    """What the pages of this app have in common."""

    if TYPE_CHECKING:
        admin_site: admin.AdminSite
        opts: Any
        get_object: Any
        has_view_permission: Any

    def found(self, request: HttpRequest, object_id: str) -> Any:
        """
        Find a row that this person may see.

        Raises:
            Http404: There is none.
            PermissionDenied: The person may not see it.
        """
        found = self.get_object(request, object_id)
        if found is None:
            raise Http404
        if not self.has_view_permission(request, found):
            raise PermissionDenied
        return found

    def context_of(self, request: HttpRequest, shown: Model, title: str) -> dict[str, Any]:
        """Give what every page needs."""
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "title": title,
            "object": shown,
            "list_url": reverse(f"admin:gdpr_{self.opts.model_name}_changelist"),
            "page_url": self.page_of(shown),
        }

    def page_of(self, shown: Model) -> str:
        """Give the address of a page."""
        return reverse(f"admin:gdpr_{self.opts.model_name}_change", args=[shown.pk])

    def have_done(
        self, request: HttpRequest, act: Callable[[], object], said: Any, shown: Model
    ) -> HttpResponse:
        """Let a service act; what it refuses is said on the page."""
        try:
            act()
        except AccordError as exc:
            messages.error(request, f"{exc} {exc.hint}")
        else:
            messages.success(request, said)
        return HttpResponseRedirect(self.page_of(shown))

    def address(self, name: str, view: Any, **more: Any) -> URLPattern:
        """Make the address of a page below that of a row."""
        address: URLPattern = path(
            f"<path:object_id>/{name}/",
            self.admin_site.admin_view(view),
            more,
            name=f"gdpr_{self.opts.model_name}_{name}",
        )
        return address

    @property
    def media(self) -> Media:
        """Add the look of states."""
        shown: Media = super().media  # type: ignore[misc]  # the mixin stands before ModelAdmin
        return shown + Media(css={"all": ("gdpr/erasure.css",)})
