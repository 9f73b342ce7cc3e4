"""The pages of one person: what is kept, what they asked for, and how far that is."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractBaseUser
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from accord import conf
from accord.audit.events import ObjectKind
from accord.errors import AccordError
from accord.middleware import HEADER, POLICY, STYLED_WITHIN
from accord.wording import explained
from gdpr import export, reauthentication
from gdpr.datamap.map import load_data_map
from gdpr.datamap.subjects import SubjectKeys
from gdpr.erasure import requests as erasures
from gdpr.rights import requests as rights
from gdpr.selfservice import standing
from gdpr.selfservice.forms import EraseForm, PasswordForm, WordsForm
from gdpr.selfservice.people import person_of
from gdpr.states import Channel, Ground, IdentityMethod, RightKind

View = Callable[..., HttpResponse]


def own_page(view: Callable[..., HttpResponse]) -> View:
    """Make a view one for the person who is signed in; nobody else's data ever reach it."""

    @login_required
    @sensitive_post_parameters("password", "words")
    def signed_in(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        account = request.user
        keys = person_of(account) if isinstance(account, AbstractBaseUser) else None
        if keys is None:
            response = render(request, "gdpr/self/nobody.html", status=404)
        else:
            response = view(request, account, keys, *args, **kwargs)
        response.headers.setdefault(HEADER, POLICY)
        return response

    @never_cache
    @wraps(view)
    def turned_on(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not conf.load().self_service_days:
            raise Http404
        answer: HttpResponse = signed_in(request, *args, **kwargs)
        return answer

    return turned_on


@own_page
def status(request: HttpRequest, _account: AbstractBaseUser, keys: SubjectKeys) -> HttpResponse:
    """Show what the person asked for, how far it is, and by when it is answered."""
    return render(request, "gdpr/self/status.html", {"asked": standing.of(keys)})


@own_page
def data(request: HttpRequest, account: AbstractBaseUser, keys: SubjectKeys) -> HttpResponse:
    """Show everything that is kept of the person, once they typed their password again."""
    form = PasswordForm(request.POST or None)
    if not _proved(request, account, form, ObjectKind.EXPORT):
        return _ask(request, form, _("See what is kept about you"), _("Show it"))
    content = export.gather(load_data_map(), keys, by=account, own=True)
    export.put_on_record(content, by=account)
    response = HttpResponse(export.page(content))
    response[HEADER] = STYLED_WITHIN
    return response


@own_page
def erase(request: HttpRequest, account: AbstractBaseUser, keys: SubjectKeys) -> HttpResponse:
    """Put the person's own demand to be erased on record; it waits for the days of grace."""
    form = EraseForm(request.POST or None)
    if not _proved(request, account, form, ObjectKind.ERASURE_REQUEST):
        return _ask(request, form, _("Have your data erased"), _("Ask for erasure"))
    return _done(
        request,
        lambda: erasures.file_request(
            keys,
            by=account,
            channel=Channel.SELF,
            ground=Ground(form.cleaned_data["ground"]),
            identity=IdentityMethod.ACCOUNT,
        ),
    )


@own_page
def ask(request: HttpRequest, account: AbstractBaseUser, keys: SubjectKeys, kind: str) -> HttpResponse:
    """Put a request for correction, or an objection, on record."""
    form, right = WordsForm(request.POST or None), RightKind(kind)
    if not _proved(request, account, form, ObjectKind.RIGHTS_REQUEST):
        return _ask(request, form, _TITLES[right], _("Send it"))
    words = form.cleaned_data["words"]
    return _done(request, lambda: rights.file(keys, right, words=words, by=account, channel=Channel.SELF))


@require_POST
@own_page
def undo(request: HttpRequest, account: AbstractBaseUser, keys: SubjectKeys, reference: str) -> HttpResponse:
    """Take a request of one's own back, as long as nothing was done."""
    found = next((one for one in standing.of(keys) if one.reference == reference and one.may_undo), None)
    if found is None:
        raise Http404
    return _done(request, lambda: found.undo(account))


_TITLES = {
    RightKind.CORRECTION: _("Have something corrected"),
    RightKind.OBJECTION: _("Object to the use of your data"),
}


def _proved(request: HttpRequest, account: AbstractBaseUser, form: forms.Form, kind: ObjectKind) -> bool:
    """Return whether a form is whole and its password that of the account."""
    if request.method != "POST" or not form.is_valid():
        return False
    if reauthentication.is_proved(request, account, form.cleaned_data["password"], kind.value):
        return True
    form.add_error("password", _("That is not your password."))
    return False


def _ask(request: HttpRequest, form: forms.Form, title: Any, submit: Any) -> HttpResponse:
    days = f"{conf.load().self_service_days:g}"
    shown = {
        "form": form,
        "title": title,
        "submit": submit,
        "days": days,
        "erases": isinstance(form, EraseForm),
    }
    return render(request, "gdpr/self/ask.html", shown)


def _done(request: HttpRequest, act: Callable[[], object]) -> HttpResponse:
    """Do it, and go back to the status, which says how it stands."""
    try:
        act()
    except AccordError as exc:
        messages.error(request, explained(exc))
    else:
        messages.success(request, gettext("Done. Below is how it stands."))
    return HttpResponseRedirect(reverse("gdpr_self:status"))
