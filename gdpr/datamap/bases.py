"""Lawful bases: what allows that personal data of an entry are used at all (Art. 6(1))."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class LawfulBasis(models.TextChoices):
    """The six that Art. 6(1) knows, in its order."""

    CONSENT = "consent", _("consent")
    CONTRACT = "contract", _("a contract with you")
    LEGAL_OBLIGATION = "legal_obligation", _("a legal obligation")
    VITAL_INTERESTS = "vital_interests", _("vital interests")
    PUBLIC_TASK = "public_task", _("a public task")
    LEGITIMATE_INTERESTS = "legitimate_interests", _("legitimate interests")


PORTABLE = (LawfulBasis.CONSENT, LawfulBasis.CONTRACT)
"""Those on which a person may take along what they provided (Art. 20(1)(a))."""
