"""Models of a test."""

# ruff: noqa: DJ008 - nobody reads what they print

from __future__ import annotations

from django.db import models

from tests.projects.moved.home import HOME
from tests.projects.moved.plays import AnyPlay


class Label(models.Model):
    name = models.TextField()


if HOME == "streaming":

    class Play(AnyPlay):
        pass
