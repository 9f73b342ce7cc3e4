"""What people are asked on their own page; the password of their own account with whatever counts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accord.choosing import OwnChoice
from gdpr.states import Ground

_GROUNDS = (Ground.NO_LONGER_NECESSARY, Ground.CONSENT_WITHDRAWN, Ground.OBJECTION, Ground.UNLAWFUL)


class PasswordForm(forms.Form):
    """The password again."""

    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        max_length=300,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class EraseForm(PasswordForm):
    """That erasure is meant."""

    sure = forms.BooleanField(
        label=_("I want my data erased. After the days of grace nothing brings them back.")
    )
    ground = OwnChoice(label=_("Why"), choices=[(one.value, one.label) for one in _GROUNDS])
    field_order = ("ground", "sure", "password")


class WordsForm(PasswordForm):
    """What is to be corrected, or stopped, in the person's own words."""

    words = forms.CharField(
        label=_("What you ask for"), max_length=2000, widget=forms.Textarea(attrs={"rows": 5})
    )
    field_order = ("words", "password")

    def clean_words(self) -> Any:
        """Return the words without space around them."""
        return self.cleaned_data["words"].strip()
