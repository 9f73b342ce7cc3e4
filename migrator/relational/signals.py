"""
Django's `pre_migrate` and `post_migrate` signals, sent as the `migrate` command sends them.

Content types, permissions and sites come into being in their receivers, so a run that
did not send them would leave another database than Django's own command.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from django.apps import apps as live_apps
from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
from django.db.migrations import Migration
from django.db.migrations.state import ModelState, ProjectState
from django.utils.module_loading import module_has_submodule

Plan = Sequence[tuple[Migration, bool]]
"""Django's form of a plan: migrations, each with "is it backwards?"."""

_VERBOSITY = 0


def send_pre_migrate(alias: str, plan: Plan, state: ProjectState | None) -> None:
    """
    Send `pre_migrate` for every app.

    Args:
        alias: The database.
        plan: What will be done.
        state: State before it; None for "nothing will be done", which spares rendering one.
    """
    register_receivers()
    emit_pre_migrate_signal(_VERBOSITY, False, alias, apps=_apps(state), plan=plan)


def send_post_migrate(alias: str, plan: Plan, state: ProjectState | None) -> None:
    """
    Send `post_migrate` for every app.

    Args:
        alias: The database.
        plan: What was done.
        state: State after it; None as above.
    """
    register_receivers()
    if state is not None:
        _complete(state)
    emit_post_migrate_signal(_VERBOSITY, False, alias, apps=_apps(state), plan=plan)


def register_receivers() -> None:
    """Import each app's `management` package, where receivers of these signals live by custom."""
    for config in live_apps.get_app_configs():
        if module_has_submodule(config.module, "management"):
            import_module(".management", config.name)


def _apps(state: ProjectState | None) -> Any:
    return live_apps if state is None else state.apps


def _complete(state: ProjectState) -> None:
    """Render what was put off, and the models of apps without migrations with their relations."""
    state.clear_delayed_apps_cache()
    rendered: Any = state.apps
    keys = [(model.app_label, model.name_lower) for model in rendered.real_models]
    with rendered.bulk_update():
        for key in keys:
            rendered.unregister_model(*key)
    rendered.render_multiple([ModelState.from_model(live_apps.get_model(*key)) for key in keys])
