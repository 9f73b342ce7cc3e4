"""Proof of who sits at the screen, in the environments that ask for it at the command line, too."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accord import conf, proof_policy
from accord.admin_parts import person_of

OWN_PASSWORD = "own_password"  # noqa: S105 - the name of a field


def is_asked_for() -> bool:
    """Return whether the policy of this environment asks for proof before what counts."""
    settings = conf.load()
    return proof_policy.load(settings).asks(settings.environment)


class ProofForm(forms.Form):
    """Asks last for the password of whoever is signed in, where the policy says so."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_asked_for():
            self.fields[OWN_PASSWORD] = forms.CharField(
                label=_("Your own password"),
                strip=False,
                max_length=300,
                widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "size": 40}),
            )

    def is_proved(self, request: HttpRequest, kind: str) -> bool:
        """
        Return whether the form fits and whoever sent it is who they say; a wrong password stands beside it.

        Args:
            request: The request.
            kind: Of the object that it is about, a word of :class:`accord.audit.events.ObjectKind`.
        """
        from gdpr import reauthentication

        if not self.is_valid():
            return False
        typed = self.cleaned_data.get(OWN_PASSWORD, "")
        asked = OWN_PASSWORD in self.fields
        if asked and not reauthentication.is_proved(request, person_of(request), typed, kind):
            self.add_error(OWN_PASSWORD, _("That is not your password."))
            return False
        return True
