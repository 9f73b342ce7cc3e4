"""People who work for the service, and letters that they and listeners got."""

from __future__ import annotations

from django.db import models

from examples.streaming.models import Listener


class Employee(models.Model):
    """Somebody who works here; numbered as listeners are, from one on."""

    email = models.EmailField(unique=True)

    def __str__(self) -> str:
        return str(self.pk)


class Letter(models.Model):
    """A letter to an employee, or to a listener: one table for both."""

    employee = models.ForeignKey(Employee, models.CASCADE, null=True)
    listener = models.ForeignKey(Listener, models.CASCADE, null=True)
    text = models.TextField()

    def __str__(self) -> str:
        return str(self.pk)
