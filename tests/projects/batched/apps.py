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
        "sparing": "tests.projects.batched.works.Sparing",
        "unfit": "tests.projects.batched.works.Row",
    }
