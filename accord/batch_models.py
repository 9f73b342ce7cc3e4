"""
Models of jobs in batches: what is to be done, in slices, and where each of them stands.

Everything about a job that outlives a process is here: a broker, a worker or a command that is lost
loses nothing. The rows are changed by :mod:`accord.batches.leases` and :mod:`accord.batches.jobs` alone.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accord.moments import Moment
from accord.patterns import DIGEST, REFERENCE, among, matches


class JobState(models.TextChoices):
    """How a job stands."""

    RUNNING = "running", _("running")
    PAUSED = "paused", _("paused")
    STOPPED = "stopped", _("stopped")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")


class SliceState(models.TextChoices):
    """How a slice of a job stands."""

    WAITING = "waiting", _("waiting")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")


class Place(models.TextChoices):
    """Where the slices of a job are worked on."""

    HERE = "here", _("in the command")
    PROCESSES = "processes", _("in processes of this machine")
    CELERY = "celery", _("on Celery workers")


class BatchJob(models.Model):
    """
    Work that is done in batches, by whoever takes a slice of it.

    Kind and arguments say what it is; each worker builds the same work from them.
    """

    reference = models.CharField(_("reference"), max_length=32, primary_key=True)
    name = models.CharField(_("name"), max_length=200, unique=True)
    kind = models.CharField(_("kind"), max_length=100)
    arguments = models.JSONField(_("arguments"), default=dict)
    version = models.CharField(_("version of the code"), max_length=64)
    state = models.CharField(
        _("state"), max_length=10, choices=JobState.choices, default=JobState.RUNNING, db_index=True
    )
    place = models.CharField(_("where it runs"), max_length=10, choices=Place.choices, default=Place.HERE)
    workers = models.PositiveSmallIntegerField(_("workers"), default=1)
    total = models.BigIntegerField(_("rows expected"), null=True)
    made_at = Moment(_("begun"))
    ended_at = Moment(_("ended"), null=True)
    looked_at = Moment(_("load looked at"))
    held_until = Moment(_("waits until"))
    asked_at = Moment(_("workers asked"), null=True)
    held_why = models.CharField(_("why it waits"), max_length=200, blank=True)

    class Meta:
        """Newest first; no form makes or changes one."""

        ordering = ("-made_at", "name")
        verbose_name = _("job in batches")
        verbose_name_plural = _("jobs in batches")
        required_db_vendor = "postgresql"
        default_permissions = ("view",)
        permissions = (("steer_batchjob", _("Can pause, resume and stop jobs in batches")),)
        constraints = (
            *matches("batchjob", reference=REFERENCE, version=DIGEST),
            *among("batchjob", state=JobState.values, place=Place.values),
        )

    def __str__(self) -> str:
        return self.name


class BatchSlice(models.Model):
    """
    A part of a job, which one worker at a time has a lease of.

    The fence rises with each lease: what a worker writes whose lease was given to another one is refused.
    """

    job = models.ForeignKey(BatchJob, models.CASCADE, related_name="slices", verbose_name=_("job in batches"))
    number = models.PositiveIntegerField(_("number"))
    bounds = models.JSONField(_("bounds"), default=dict)
    state = models.CharField(
        _("state"), max_length=10, choices=SliceState.choices, default=SliceState.WAITING
    )
    cursor = models.JSONField(_("place reached"), null=True)
    rows = models.BigIntegerField(_("rows"), default=0)
    bytes = models.BigIntegerField(_("bytes"), default=0)
    size = models.PositiveIntegerField(_("size of the next batch"))
    seconds = models.FloatField(_("seconds worked"), default=0)
    owner = models.CharField(_("worker"), max_length=500, blank=True)
    fence = models.BigIntegerField(_("fence"), default=0)
    until = Moment(_("lease ends"))
    tries = models.PositiveSmallIntegerField(_("tries without progress"), default=0)
    error = models.CharField(_("last error"), max_length=300, blank=True)

    class Meta:
        """In order."""

        ordering = ("job", "number")
        verbose_name = _("slice of a job")
        verbose_name_plural = _("slices of a job")
        required_db_vendor = "postgresql"
        default_permissions = ("view",)
        indexes = (
            # What is finished is most of a job in the end, and nobody looks for it.
            models.Index(
                fields=("job", "number"),
                condition=Q(state__in=(SliceState.WAITING, SliceState.RUNNING)),
                name="accord_batchslice_open",
            ),
        )
        constraints = (
            models.UniqueConstraint(fields=("job", "number"), name="accord_batchslice_once"),
            *among("batchslice", state=SliceState.values),
            models.CheckConstraint(condition=Q(size__gte=1), name="accord_batchslice_size"),
        )

    def __str__(self) -> str:
        return f"{self.job_id[:8]}: {self.number}"
