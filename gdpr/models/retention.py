"""What runs of retention did: one row for each term that was applied in a run."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accord.moments import Moment
from gdpr.fields import CoordinatorManager, random_reference, reference
from gdpr.states import LapseKind, RetentionState


class RetentionRun(models.Model):
    """What became of one term in one run. Free of personal data; the audit trail has its event."""

    reference = reference()
    run = models.CharField(_("run"), max_length=32, default=random_reference, db_index=True)
    entry = models.CharField(_("entry"), max_length=200)
    store = models.CharField(_("store"), max_length=100)
    kind = models.CharField(_("of whom"), max_length=10, choices=LapseKind.choices)
    state = models.CharField(
        _("state"), max_length=20, choices=RetentionState.choices, default=RetentionState.RUNNING
    )
    changed = models.BigIntegerField(_("gone or changed"), default=0)
    held = models.BigIntegerField(_("kept by a hold"), default=0)
    trouble = models.CharField(_("trouble"), max_length=20, blank=True)
    started_at = Moment(_("started"))
    finished_at = Moment(_("finished"), null=True)

    objects = CoordinatorManager["RetentionRun"]()

    class Meta:
        """Newest first."""

        ordering = ("-started_at", "-id")
        verbose_name = _("run of retention")
        verbose_name_plural = _("runs of retention")
        required_db_vendor = "postgresql"

    def __str__(self) -> str:
        return f"{self.entry}: {self.get_state_display()}"

    def is_of_a_failed_run(self) -> bool:
        """Return whether any term failed in the same run."""
        return type(self).objects.filter(run=self.run, state=RetentionState.FAILED).exists()
