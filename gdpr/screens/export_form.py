"""What is asked before an export is made in the admin: of whom, how it is written, and who can open it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accord.choosing import OwnChoice
from gdpr.envelopes.age import SHORTEST_PASSWORD, Envelope
from gdpr.export import ExportFormat
from gdpr.screens.forms import PersonForm
from gdpr.screens.proof import ProofForm

SECRETS = ("key", "password", "again", "own_password")
"""What stands in no log and no report of an error."""
_FORMS = (
    (ExportFormat.HTML.value, _("a page to read")),
    (ExportFormat.JSON.value, _("JSON, for programs")),
    (ExportFormat.CSV.value, _("tables, in a ZIP archive")),
)


def _password(label: Any, help_text: Any = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        strip=False,
        max_length=300,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "size": 40}),
        help_text=help_text,
    )


class ExportForm(PersonForm, ProofForm):
    """Whose data, and for whom. Nothing of it is kept but the keyed tag of the person."""

    key = forms.CharField(
        label=_("Key of the person"),
        max_length=320,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True, "size": 40}),
        help_text=_("Any key that the data map declares."),
    )
    form = OwnChoice(label=_("How it is written"), choices=_FORMS)
    portable = forms.BooleanField(
        label=_("Only what the person may take along (Art. 20)"),
        required=False,
        help_text=_("What they provided, on consent or a contract, as far as the data map says so."),
    )
    recipient = forms.CharField(
        label=_("Public key of the reader"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "size": 70}),
        help_text=_("Of age: age1… Or else a password:"),
    )
    password = _password(
        _("Password of the file"), _("Tell it to the reader by another way than the file. It is not kept.")
    )
    again = _password(_("The same again"))

    def clean(self) -> dict[str, Any]:
        """Refuse two passwords that differ, and say it where nobody could open the file."""
        said = super().clean() or {}
        if said.get("password") != said.get("again"):
            self.add_error("again", _("The two passwords differ."))
        elif bool(said.get("recipient")) == bool(said.get("password")):
            self.add_error("recipient", _("Give a public key or a password, and not both."))
        elif said.get("password") and len(said["password"]) < SHORTEST_PASSWORD:
            self.add_error("password", _("Take at least twelve characters."))
        return said

    @property
    def envelope(self) -> Envelope:
        """What the export is put into, once the form is valid."""
        said = self.cleaned_data
        recipients = (said["recipient"],) if said["recipient"] else ()
        return Envelope(recipients=recipients, password=said["password"])
