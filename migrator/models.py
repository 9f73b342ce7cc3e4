"""
The journal: what runs did and when, for people.

It is history, not truth: which steps are applied is recorded in each store's own ledger.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class RunKind(models.TextChoices):
    """What a run was asked to do."""

    APPLY = "apply", _("apply")
    REVERT = "revert", _("revert")
    BASELINE = "baseline", _("baseline")
    FAKE = "fake", _("fake")


class Outcome(models.TextChoices):
    """How a run or one of its steps ended."""

    RUNNING = "running", _("running")
    SUCCEEDED = "succeeded", _("succeeded")
    FAILED = "failed", _("failed")
    SKIPPED = "skipped", _("skipped")
    INTERRUPTED = "interrupted", _("interrupted")


class Run(models.Model):
    """One execution of a plan."""

    id = models.CharField(_("run"), max_length=40, primary_key=True)
    kind = models.CharField(_("kind"), max_length=10, choices=RunKind.choices)
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome.choices, default=Outcome.RUNNING)
    environment = models.CharField(_("environment"), max_length=60)
    digest = models.CharField(_("plan digest"), max_length=64)
    fence = models.BigIntegerField(_("fencing token"))
    owner = models.CharField(_("process"), max_length=200)
    planned = models.PositiveIntegerField(_("steps planned"))
    started_at = models.DateTimeField(_("started"))
    finished_at = models.DateTimeField(_("finished"), null=True)
    error_code = models.CharField(_("error code"), max_length=10, blank=True)
    error = models.TextField(_("error"), blank=True)

    class Meta:
        """Newest first."""

        ordering = ("-started_at", "-id")
        verbose_name = _("run")
        verbose_name_plural = _("runs")

    def __str__(self) -> str:
        return self.id


class StepRun(models.Model):
    """One step within a run."""

    run = models.ForeignKey(Run, verbose_name=_("run"), on_delete=models.PROTECT, related_name="steps")
    position = models.PositiveIntegerField(_("position"))
    store = models.CharField(_("store"), max_length=60)
    app = models.CharField(_("app"), max_length=100)
    name = models.CharField(_("step"), max_length=255)
    direction = models.CharField(_("direction"), max_length=10)
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome.choices, default=Outcome.RUNNING)
    started_at = models.DateTimeField(_("started"))
    seconds = models.FloatField(_("seconds"), null=True)
    changed = models.BigIntegerField(_("changed"), default=0)
    detail = models.TextField(_("detail"), blank=True)
    error_code = models.CharField(_("error code"), max_length=10, blank=True)
    error = models.TextField(_("error"), blank=True)

    class Meta:
        """In the order of the plan, each position once."""

        ordering = ("run", "position")
        verbose_name = _("step of a run")
        verbose_name_plural = _("steps of a run")
        constraints = (
            models.UniqueConstraint(fields=("run", "position"), name="migrator_steprun_position_once"),
        )

    def __str__(self) -> str:
        return f"{self.store}:{self.app}.{self.name}"
