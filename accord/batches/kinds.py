"""
Kinds of work: which class a name stands for.

An app declares them in its configuration, `batch_kinds = {"name": "dotted.path.of.Class"}`; the name of a
kind is `label.name`. Nothing else is ever imported: what a message or a row says is looked up, not loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.utils.module_loading import import_string

from accord.batches.work import Work
from accord.errors import ConfigurationError


def declared() -> Mapping[str, str]:
    """Return the dotted path of every kind that an installed app declares, by its name."""
    return {
        f"{config.label}.{name}": path
        for config in apps.get_app_configs()
        for name, path in getattr(config, "batch_kinds", {}).items()
    }


def build(kind: str, arguments: Mapping[str, Any]) -> Work:
    """
    Build a work.

    Args:
        kind: Its name.
        arguments: What its class is called with.

    Raises:
        ConfigurationError: No installed app declares the kind, its class can't be imported, or is called
            otherwise.
    """
    path = declared().get(kind)
    if path is None:
        raise ConfigurationError(
            f"There is no kind of work “{kind}”.",
            hint="Is its app in INSTALLED_APPS, and does its configuration declare it in batch_kinds?",
        )
    try:
        made = import_string(path)(**arguments)
    except (ImportError, TypeError) as exc:
        raise ConfigurationError(
            f"The work “{kind}” can't be built from {path}: {exc}.",
            hint="The job was begun by another version of the code, or its extra isn't installed.",
        ) from exc
    if not isinstance(made, Work):
        raise ConfigurationError(f"{path} is no Work.", hint="Derive it from accord.batches.Work.")
    return made
