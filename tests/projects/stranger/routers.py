"""Routers of three kinds: by the app alone, by the model, by what an operation tells them."""

from __future__ import annotations

from typing import Any


class ByModel:
    """Keep one model in a database of its own."""

    def allow_migrate(
        self, db: str, app_label: str, model_name: str | None = None, **hints: Any
    ) -> bool | None:
        """Answer for a model; about an app alone this router says that all is in the default database."""
        return db == ("logs" if model_name == "logline" else "default")


class ByModelItself(ByModel):
    """As above, by the model that Django hands over."""

    def allow_migrate(
        self, db: str, app_label: str, model_name: str | None = None, **hints: Any
    ) -> bool | None:
        """Answer for a model."""
        model = hints.get("model")
        return db == ("logs" if model and model._meta.model_name == "logline" else "default")


class ByHint:
    """Send an operation where its hint says."""

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        """Answer for an operation."""
        return db == hints.get("to", "default")


class DefaultOnly:
    """Keep everything in the default database."""

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        """Answer for whatever is asked."""
        return db == "default"
