"""Models of a test."""

# ruff: noqa: DJ008 - nobody reads what they print

from __future__ import annotations

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models

from tests.projects.moved.home import HOME

if HOME == "events":
    from tests.projects.moved.events.models import Play
else:
    from tests.projects.moved.streaming.models import Play  # type: ignore[assignment]  # one of both


class Tag(models.Model):
    word = models.TextField()
    content_type = models.ForeignKey(ContentType, models.CASCADE)
    object_id = models.BigIntegerField()
    what = GenericForeignKey()


class Review(models.Model):
    play = models.ForeignKey(Play, models.CASCADE)


class LivePlay(Play):
    hall = models.TextField()

    class Meta:
        """Not the parent's."""


class LoudPlay(Play):
    class Meta:
        proxy = True


class Chosen(models.Model):
    play = models.ForeignKey(Play, models.CASCADE)
    playlist = models.ForeignKey("PlayList", models.CASCADE)


class PlayList(models.Model):
    plays = models.ManyToManyField(Play, through=Chosen, related_name="lists")
    liked = models.ManyToManyField(Play, related_name="+")
    best = models.OneToOneField(Play, models.CASCADE, related_name="+")
