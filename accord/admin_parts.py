"""What pages of the admin have in common, in every app of the suite."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import capfirst

from accord.denied import Denial, Denied
from accord.errors import AccordError
from accord.wording import explained

if TYPE_CHECKING:
    # Django's class takes a parameter in the stubs only.
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


class ReadOnly:
    """Pages on which no account adds, changes or deletes what happened."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class Folded(admin.ChoicesFieldListFilter):
    """A filter with many choices, folded until one of them is chosen."""

    template = "admin/accord/folded_filter.html"


@dataclass(frozen=True, kw_only=True)
class OfferedDecision:
    """
    A decision that an account may take on a page of its own.

    Attributes:
        name: Of the address.
        label: On the button that leads to the page.
        submit: On the button of that page, which decides.
        explains: What then happens.
        hindrance: Why this account can't decide it; empty when it can.
        query: What the address carries along, such as `?digest=…`.
        leads: Whether it is the one that the page is there for.
    """

    name: str
    label: Any
    submit: Any
    explains: Any
    hindrance: str = ""
    query: str = ""
    leads: bool = False


class Pages(ReadOnly, ModelAdmin):
    """
    Lists and pages of what no account edits, and pages on which an account decides.

    Attributes:
        page_template: Template of the page of a row; empty for Django's own.
        empty_says: What to do where the list is empty, because nothing is there yet.
    """

    change_list_template = "admin/accord/change_list.html"
    change_form_template = "admin/accord/change_form.html"
    page_template = ""
    empty_says: Any = ""
    actions = None
    list_per_page = 50

    class Media:
        """The look that the suite's pages share."""

        css: ClassVar = {"all": ("accord/pages.css",)}

    def get_urls(self) -> list[URLPattern]:
        """Leave out the history of changes: nothing is changed here; the audit trail has what happened."""
        return [one for one in super().get_urls() if not str(one.name).endswith("_history")]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list under its own name: nothing is selected in it to be changed."""
        title = capfirst(self.opts.verbose_name_plural)
        shown = {"title": title, "empty_says": self.empty_says, **(extra_context or {})}
        return super().changelist_view(request, shown)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a row."""
        if not self.page_template:
            # Django's own heading, “View …”, puts an article before a word that it doesn't know.
            named = {"title": capfirst(self.opts.verbose_name), **(extra_context or {})}
            return super().change_view(request, object_id, form_url, named)
        shown = self.found(request, object_id)
        decisions = self.decisions(request, shown)
        context = {
            **self.context_of(request, shown),
            "decisions": decisions,
            "hindrances": _by_hindrance(decisions),
            **self.facts(request, shown),
        }
        return TemplateResponse(request, self.page_template, context)

    def title_of(self, shown: Any) -> str:
        """Return the heading of a row's page."""
        return str(shown)

    def facts(self, request: HttpRequest, shown: Any) -> dict[str, Any]:
        """Return what the page of a row shows."""
        return {}

    def decisions(self, request: HttpRequest, shown: Any) -> Sequence[OfferedDecision]:
        """Return what can be decided about a row as it stands."""
        return ()

    def found(self, request: HttpRequest, object_id: str) -> Any:
        """
        Return a row that this account may see.

        Raises:
            Http404: There is none.
            PermissionDenied: The account may not see it.
        """
        found = self.get_object(request, object_id)
        if found is None:
            raise Http404
        if not self.has_view_permission(request, found):
            raise refused(request)
        return found

    def context_of(self, request: HttpRequest, shown: Model | None, title: str = "") -> dict[str, Any]:
        """
        Return what every page needs.

        Args:
            request: The request.
            shown: The row that it is about; None for a page about all of them.
            title: Of the page, where it is not the row's own.
        """
        about = {} if shown is None else {"name": self.title_of(shown), "page_url": self.page_of(shown)}
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "title": title or about.get("name", ""),
            "subpage": bool(title),
            "object": shown,
            "list_url": self.url("changelist"),
            **about,
        }

    def asking(
        self, request: HttpRequest, shown: Model, decision: OfferedDecision, form: forms.Form | None = None
    ) -> dict[str, Any]:
        """Return what the page of a decision needs."""
        return {
            **self.context_of(request, shown, str(decision.submit)),
            "form": form,
            "submit": decision.submit,
            "explains": decision.explains,
            "hindrance": decision.hindrance,
        }

    def url(self, name: str, *args: object) -> str:
        """Return the address of one of these pages."""
        address = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_{name}"
        return reverse(address, args=args)

    def page_of(self, shown: Model) -> str:
        """Return the address of a row's page."""
        return self.url("change", shown.pk)

    def address(self, name: str, view: Any, *, of_row: bool = True, **more: Any) -> URLPattern:
        """
        Return the address of a further page.

        Args:
            name: Of the page.
            view: What answers.
            of_row: Whether it stands below a row, whose key it then gets.
            more: Handed on to the view.
        """
        route = f"<path:object_id>/{name}/" if of_row else f"{name}/"
        title = f"{self.opts.app_label}_{self.opts.model_name}_{name}"
        address: URLPattern = path(route, self.admin_site.admin_view(view), more, name=title)
        return address

    def have_done(
        self, request: HttpRequest, act: Callable[[], object], said: Any, shown: Model
    ) -> HttpResponse:
        """
        Call a service; show what it refuses as a message on the page.

        Args:
            request: The request.
            act: Acts, and may return the message to show instead of `said`.
            said: Message that the account reads afterwards.
            shown: The row whose page comes next.
        """
        try:
            answer = act()
        except AccordError as exc:
            self.tell(request, exc)
        else:
            messages.success(request, answer if isinstance(answer, str) else said)
        return HttpResponseRedirect(self.page_of(shown))

    def tell(self, request: HttpRequest, refusal: AccordError) -> None:
        """Show what a service refuses as a message; that an account was refused is put on record."""
        _note(request, refusal)
        messages.error(request, explained(refusal))


def _by_hindrance(decisions: Sequence[OfferedDecision]) -> Sequence[tuple[str, Sequence[OfferedDecision]]]:
    """Group decisions by what hinders them: each reason once."""
    groups: dict[str, list[OfferedDecision]] = {}
    for decision in decisions:
        if decision.hindrance:
            groups.setdefault(str(decision.hindrance), []).append(decision)
    return list(groups.items())


def refused(request: HttpRequest) -> PermissionDenied:
    """Put on record that an account is refused a page, and return what Django answers that with."""
    _note(request, Denied())
    return PermissionDenied()


def _note(request: HttpRequest, refusal: Exception) -> None:
    # With the models, which a page needs: without the kernel's app this module is imported all the same.
    from accord.audit import denials

    denials.note(refusal, Denial(by=person_of(request)))


def person_of(request: HttpRequest) -> AbstractBaseUser:
    """
    Return the account that asks.

    Raises:
        PermissionDenied: No account is signed in.
    """
    if not isinstance(request.user, AbstractBaseUser):
        raise PermissionDenied
    return request.user
