"""What decisions about plans ask for."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class DecisionForm(forms.Form):
    """The reason that every decision needs."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4, "cols": 70, "autofocus": True}),
        help_text=_("Kept with the decision, for whoever reads it later. Name no private person."),
    )


class LosingForm(DecisionForm):
    """The reason, and the word of a person who has seen what goes."""

    seen = forms.BooleanField(label=_("I have seen what goes with this plan, and it may go."))
