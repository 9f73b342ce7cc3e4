"""Writing to a person, from the page of what it is about: shown to be copied, and sent if that is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import get_language_info, gettext
from django.utils.translation import gettext_lazy as _

from accord import conf
from accord.admin_parts import OfferedDecision, person_of
from accord.choosing import OwnChoice
from accord.errors import AccordError
from gdpr import letters
from gdpr.letters import Letter, LetterKind
from gdpr.models import ErasureRequest, Restriction
from gdpr.screens.base import GdprPages, hindered

LETTER = OfferedDecision(
    name="letter",
    label=_("Letter…"),
    submit=_("Write the letter"),
    explains=_(
        "It is shown for you to copy, and names nobody. Neither its text nor an address is kept: the audit "
        "trail has that it was written, and that it was sent."
    ),
)


class LetterForm(forms.Form):
    """Which letter, in which language, and where it goes."""

    def __init__(self, *args: Any, kinds: Sequence[LetterKind] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"] = OwnChoice(
            label=_("Which letter"), choices=[(kind.value, kind.label) for kind in kinds]
        )
        self.fields["language"] = OwnChoice(
            label=_("Language of the person"),
            choices=[(code, get_language_info(code)["name_translated"]) for code in conf.languages()],
        )
        self.fields["to"] = forms.EmailField(
            label=_("Address to send it to"),
            required=False,
            widget=forms.EmailInput(attrs={"autocomplete": "off", "size": 40}),
            help_text=_("Used once and not kept. Empty: it is shown, and not sent."),
        )


def offered(about: ErasureRequest | Restriction, by: Any) -> Sequence[OfferedDecision]:
    """Offer a letter where there is something to tell, with what hinders this account."""
    if not letters.possible(about):
        return ()
    needed = letters.ABOUT_RESTRICTIONS if isinstance(about, Restriction) else letters.ABOUT_REQUESTS
    return (hindered(LETTER, by, *needed),)


def writing(
    pages: GdprPages, request: HttpRequest, about: ErasureRequest | Restriction, context: dict[str, Any]
) -> HttpResponse:
    """
    Ask which letter, and write it; only a POST does.

    Args:
        pages: The pages that this one stands among.
        request: The request.
        about: What the letter is about.
        context: What the page shows besides.
    """
    kinds = letters.possible(about)
    form = LetterForm(request.POST if request.method == "POST" else None, kinds=kinds)
    if request.method == "POST" and form.is_valid():
        return _written(pages, request, about, form.cleaned_data)
    decision = next(iter(offered(about, person_of(request))), LETTER)
    asking = {**pages.asking(request, about, decision, form), **context}
    return TemplateResponse(request, "admin/gdpr/letter.html", asking)


def _written(
    pages: GdprPages, request: HttpRequest, about: ErasureRequest | Restriction, said: Mapping[str, Any]
) -> HttpResponse:
    """Write the letter and show it; what is refused stands on the page of what it would be about."""
    person = person_of(request)
    try:
        letter = letters.write(
            about.reference, LetterKind(said["kind"]), language=said["language"], by=person
        )
    except AccordError as exc:
        pages.tell(request, exc)
        return HttpResponseRedirect(pages.page_of(about))
    if said["to"]:
        _sent(pages, request, letter, said["to"])
    shown = {
        **pages.context_of(request, about, letter.subject),
        "letter": letter,
        "language": said["language"],
    }
    return TemplateResponse(request, "admin/gdpr/letter_written.html", shown)


def _sent(pages: GdprPages, request: HttpRequest, letter: Letter, address: str) -> None:
    """Send it; a mail that isn't taken is told beside the letter, which is written all the same."""
    try:
        letters.send(letter, address, by=person_of(request))
    except AccordError as exc:
        pages.tell(request, exc)
    else:
        messages.success(request, gettext("The letter is sent."))
