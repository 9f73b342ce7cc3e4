"""An app with kinds of work."""

from __future__ import annotations

from django.apps import AppConfig


class BatchedConfig(AppConfig):
    """The app."""

    name = "tests.projects.batched"
    label = "batched"
    batch_kinds = {
        "counting": "tests.projects.batched.works.Counting",
        "elsewhere": "tests.projects.batched.works.Elsewhere",
        "unfit": "tests.projects.batched.works.Row",
    }
