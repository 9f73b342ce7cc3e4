"""What is sold, and a log that is kept elsewhere."""

from __future__ import annotations

from django.db import models


class Thing(models.Model):
    """Something to buy."""

    def __str__(self) -> str:
        return f"thing {self.pk}"


class LogLine(models.Model):
    """Something that happened."""

    def __str__(self) -> str:
        return f"line {self.pk}"
