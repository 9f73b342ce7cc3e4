"""Choices that an account has to make on a page: none is made for it beforehand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class OwnChoice(forms.ChoiceField):
    """
    A choice that counts as a statement of whoever makes it.

    It opens on “choose…”, which is no answer: what is recorded as evidence was said by a person.
    """

    def __init__(self, *, choices: Iterable[tuple[Any, Any]], **options: Any) -> None:
        super().__init__(choices=[("", _("choose…")), *choices], required=True, **options)
