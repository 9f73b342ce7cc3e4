"""Notes: their titles are rows, what is in them are documents."""

from __future__ import annotations

from django.db import models


class Note(models.Model):
    """A note."""

    title = models.CharField(max_length=50)

    def __str__(self) -> str:
        return self.title
