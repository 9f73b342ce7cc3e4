"""What a person is asked before they decide about an erasure."""

from __future__ import annotations

from collections.abc import Iterable

from django import forms
from django.utils.translation import gettext_lazy as _

from accord.choosing import OwnChoice
from gdpr.datamap.map import load_data_map
from gdpr.states import ExtensionReason, HoldReason, IdentityMethod, RejectionGround

EVERYTHING = "*"
"""Stands in the form of a hold for all entries; no entry has this name."""


class DecisionForm(forms.Form):
    """The reason that a decision about a request needs."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4, "cols": 70}),
        help_text=_("Kept encrypted with the decision, for whoever has to account for it."),
    )


class ApproveForm(DecisionForm):
    """A yes to the plan that was shown, and to no other."""

    digest = forms.CharField(max_length=64, widget=forms.HiddenInput)


class RejectForm(DecisionForm):
    """A no, on a legal ground."""

    ground = OwnChoice(label=_("Legal ground"), choices=RejectionGround.choices)
    field_order = ("ground", "reason")


class IdentityForm(forms.Form):
    """How it was made sure who asks."""

    method = OwnChoice(label=_("How it was made sure who asks"), choices=IdentityMethod.choices)


class ExtendForm(forms.Form):
    """Why more time is needed."""

    reason = OwnChoice(label=_("Reason"), choices=ExtensionReason.choices)


class ByHandForm(forms.Form):
    """What was done by hand."""

    def __init__(self, *args: object, entries: Iterable[str] = (), **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # handed on as they come
        choices = [(entry, entry) for entry in entries]
        self.fields["entry"] = OwnChoice(label=_("What is done"), choices=choices)


class WhoseForm(forms.Form):
    """Whose something is that came after the erasure."""

    person = OwnChoice(
        label=_("Whose it is"),
        choices=[
            ("another", _("somebody else's: it is left alone")),
            ("same", _("of the same person: it is erased")),
        ],
    )

    def __init__(self, *args: object, entries: Iterable[str] = (), **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # handed on as they come
        choices = [(entry, entry) for entry in entries]
        self.fields["entry"] = OwnChoice(label=_("What is asked about"), choices=choices)
        self.order_fields(["entry", "person"])


class PersonForm(forms.Form):
    """Who is looked for. What is typed is sent in the body, and stands in no address."""

    key = forms.CharField(
        label=_("Key of the person"),
        max_length=320,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True, "size": 40}),
        help_text=_("Any key that the data map declares. Whoever is erased already: by the primary key."),
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # handed on as they come
        if several := load_data_map().several:
            # Customer 7 and employee 7 are two people.
            choices = [(one.called, one.called) for one in several]
            self.fields["of_kind"] = OwnChoice(label=_("Kind of person"), choices=choices)
            self.order_fields(["of_kind", *self.fields])


class HoldForm(forms.Form):
    """Why data must stay for the time being, and which."""

    reason = OwnChoice(label=_("Reason"), choices=HoldReason.choices)

    def __init__(self, *args: object, entries: Iterable[str] = (), **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # handed on as they come
        offered = [(EVERYTHING, _("Everything")), *((entry, entry) for entry in entries)]
        self.fields["entry"] = OwnChoice(
            label=_("What is held"),
            choices=offered,
            help_text=_("A hold on one entry also stops what comes after it in the same store."),
        )

    def clean_entry(self) -> str:
        """Return the entry that is held; empty for everything."""
        chosen = str(self.cleaned_data["entry"])
        return "" if chosen == EVERYTHING else chosen
