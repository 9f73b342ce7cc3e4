"""What a play is, wherever it lives."""

from __future__ import annotations

from typing import Any

from django.contrib.contenttypes.fields import GenericRelation
from django.db import models


class Plays(models.Manager[Any]):
    """Goes into migrations."""

    use_in_migrations = True


class AnyPlay(models.Model):
    """A play of a track."""

    at = models.IntegerField(db_index=True)
    label: Any = models.ForeignKey("streaming.Label", models.CASCADE, related_name="%(app_label)s_plays")
    after = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+")
    alike = models.ManyToManyField("self")
    # The sample's settings, with which types are checked, know no app of this one.
    labels: Any = models.ManyToManyField("streaming.Label", related_name="+")  # type: ignore[misc]
    tags = GenericRelation("reviews.Tag")

    objects = Plays()

    class Meta:
        abstract = True
        constraints = (
            models.UniqueConstraint(fields=["at", "label"], name="%(app_label)s_%(class)s_once"),
            models.CheckConstraint(condition=models.Q(at__gte=0), name="%(app_label)s_%(class)s_positive"),
        )
        indexes = (models.Index(fields=["-at"], name="plays_by_time"),)
