"""A model's way from one app to another, as states of a project tell it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.backends.utils import truncate_name
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.utils import get_references

from accord.errors import InvalidRevision

_SELF = "self"


@dataclass(frozen=True, kw_only=True)
class Move:
    """
    A move.

    Attributes:
        name: The model's.
        old: Label of the app that it leaves.
        new: Label of the app that it enters.
        renames_table: Whether its table gets the name that Django gives it in the new app.
        names: New names of its indexes and constraints, by the old ones.
    """

    name: str
    old: str
    new: str
    renames_table: bool = False
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def old_key(self) -> tuple[str, str]:
        """Return how a state calls the model before."""
        return self.old, self.name.lower()

    @property
    def new_key(self) -> tuple[str, str]:
        """Return how a state calls the model after."""
        return self.new, self.name.lower()


def move_of(app: str, operation: Operation) -> Move | None:
    """
    Return the move that an operation is; None for any other one.

    Args:
        app: Label of the app in whose migration it stands.
        operation: The operation.
    """
    says = getattr(operation, "move_into", None)
    return says(app) if says is not None else None


def table_of(model: ModelState) -> str:
    """Return the name of a model's table."""
    named = model.options.get("db_table")
    return str(named or usual_table(model.app_label, model.name))


def renamed_tables(move: Move, state: ProjectState) -> Iterator[tuple[str, str]]:
    """
    Yield the table of a model that moves, and those of its own links, by their names before and after.

    Args:
        move: The move.
        state: The state before it; stays as it is.
    """
    model = state.models[move.old_key]
    old, options = table_of(model), _options(model, move)
    new = str(options.get("db_table") or usual_table(move.new, move.name))
    yield old, new
    for name, found in model.fields.items():
        if found.many_to_many and found.remote_field.through is None and not found.db_table:
            yield truncated(f"{old}_{name}"), truncated(f"{new}_{name}")


def usual_table(app: str, model: str) -> str:
    """Return what Django calls the table of a model that names none."""
    return truncated(f"{app}_{model.lower()}")


def truncated(name: str) -> str:
    """Return a name as models have it, which ask the default database how long it may be."""
    return truncate_name(name, connection.ops.max_name_length())


def carry(state: ProjectState, move: Move) -> None:
    """
    Move a model in a state, and have everything that points at it follow.

    Args:
        state: The state; it is changed.
        move: The move.

    Raises:
        InvalidRevision: The model isn't there, is there already, is swappable, or lacks a name.
    """
    _refuse(state, move)
    _repoint(state, move)
    model = state.models.pop(move.old_key)
    state.models[move.new_key] = ModelState(
        app_label=move.new,
        name=model.name,
        fields={name: _scoped(each, move.old) for name, each in model.fields.items()},
        options=_options(model, move),
        bases=model.bases,
        managers=model.managers,
    )
    # Everything is rendered anew, once: Django's own ways to reload know no change of app.
    state.__dict__.pop("apps", None)
    state._relations = None  # type: ignore[attr-defined]  # noqa: SLF001 - as Django's own ways do


def _repoint(state: ProjectState, move: Move) -> None:
    target, old = f"{move.new}.{move.name}", ".".join(move.old_key)
    for model, name, found, reference in list(get_references(state, move.old_key)):
        changed: Any = found.clone()
        if reference.to and changed.remote_field.model != _SELF:
            changed.remote_field.model = target
        if reference.through:
            changed.remote_field.through = target
        model.fields[name] = changed
    for model in state.models.values():
        model.bases = tuple(target if _label(base) == old else base for base in model.bases)


def _label(base: Any) -> str:
    return base.lower() if isinstance(base, str) else ""


def _scoped(found: Any, app: str) -> Any:
    """Say of which app a relation's model is, where it was left to the app of the model that has it."""
    remote = found.remote_field
    if remote is None:
        return found
    parts = {part: getattr(remote, part, None) for part in ("model", "through")}
    bare = {part: name for part, name in parts.items() if isinstance(name, str) and "." not in name}
    bare = {part: name for part, name in bare.items() if name != _SELF}
    changed = found.clone() if bare else found
    for part, name in bare.items():
        setattr(changed.remote_field, part, f"{app}.{name}")
    return changed


def _options(model: ModelState, move: Move) -> dict[str, Any]:
    options = {
        **model.options,
        "indexes": [_named(each, move.names) for each in model.options["indexes"]],
        "constraints": [_named(each, move.names) for each in model.options["constraints"]],
    }
    if move.renames_table and options.get("managed", True):
        options.pop("db_table", None)
    elif not options.get("proxy"):
        options["db_table"] = table_of(model)
    return options


def _named(rule: Any, names: Mapping[str, str]) -> Any:
    if rule.name not in names:
        return rule
    changed = rule.clone()
    changed.name = names[rule.name]
    return changed


def _refuse(state: ProjectState, move: Move) -> None:
    old, new = f"{move.old}.{move.name}", f"{move.new}.{move.name}"
    place = f"MoveModel({move.name!r}, from_app={move.old!r}) in {move.new}"
    if move.old_key not in state.models:
        raise InvalidRevision(
            f"{place}: there is no model {old} at this point.",
            hint=f"Let the migration depend on the last one of {move.old}; see that nothing else moves it.",
        )
    if move.new_key in state.models:
        raise InvalidRevision(
            f"{place}: there is a model {new} already.",
            hint="Take its CreateModel out, if it was written for the same table; else give one of them "
            "another name first (RenameModel).",
        )
    model = state.models[move.old_key]
    if setting := model.options.get("swappable") or _setting(old) or _setting(new):
        raise InvalidRevision(
            f"{place}: {setting} names the model. Migrations that are written already follow the setting, "
            "and would name the model by an app where it isn't yet.",
            hint="Leave it in its app. Its code may live in any module.",
        )
    known = {each.name for each in (*model.options["indexes"], *model.options["constraints"])}
    if unknown := sorted(set(move.names) - known):
        raise InvalidRevision(
            f"{place}: {old} has no index or constraint {', '.join(unknown)}.",
            hint=f"It has {', '.join(sorted(known)) or 'none that has a name'}.",
        )


def _setting(label: str) -> str:
    return apps.get_swappable_settings_name(label) or ""
