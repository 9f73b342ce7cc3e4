"""Who is a member of the site."""

from __future__ import annotations

from django.db import models


class Member(models.Model):
    """A person."""

    email = models.EmailField(unique=True)
    joined = models.DateTimeField()

    def __str__(self) -> str:
        return f"member {self.pk}"
