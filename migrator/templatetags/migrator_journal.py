"""Template pieces of the run page."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString

from accord.display import chip, lasting
from migrator.models import StepRun

register = template.Library()


@register.simple_tag
def outcome_chip(step: StepRun) -> SafeString:
    """Show how a step ended."""
    return chip(step.outcome, step.get_outcome_display())


@register.filter
def as_duration(seconds: float | None) -> str:
    """Write a duration for people."""
    return lasting(seconds)
