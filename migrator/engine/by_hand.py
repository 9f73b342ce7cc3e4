"""What is left of the suite when the stores are clean: settings, files, migrations that name it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from django.apps import apps
from django.conf import settings as django_settings

from accord import conf
from migrator.relational.loader import SUITE, DiskLoader

_FOLDERS = ("mongo_migrations", "search_migrations")
_SETTINGS = ("MIDDLEWARE", "TEST_RUNNER", "DATABASE_ROUTERS")


def left_by_hand(settings: conf.AccordSettings) -> Iterator[str]:
    """
    Yield what only a person can take out, a sentence each.

    Args:
        settings: Settings of the suite.
    """
    yield f"Take {_listed(sorted(_installed()))} out of INSTALLED_APPS."
    if hasattr(django_settings, "ACCORD"):
        yield "Delete the setting ACCORD, and the variables that it reads."
    for name in _SETTINGS:
        if named := [one for one in _texts(getattr(django_settings, name, ())) if _is_ours(one)]:
            yield f"Take {_listed(named)} out of {name}."
    yield "Take what includes addresses of Accord out of your urls.py, if something does."
    yield from _migrations()
    yield from _files(settings)
    yield "Uninstall the package: pip uninstall django-accord"


def _installed() -> set[str]:
    return {config.name for config in apps.get_app_configs() if config.label in SUITE}


def _migrations() -> Iterator[str]:
    """Yield the migrations that Django could not load without the suite."""
    own = {name: one for name, one in DiskLoader().migrations.items() if name[0] not in SUITE}
    for (app, name), migration in sorted(own.items()):
        if needed := sorted({parent[0] for parent in migration.dependencies} & SUITE):
            yield f"{app}.{name} depends on {_listed(needed)}: take that out of its dependencies."
        if _imports_us(vars(__import__(migration.__module__, fromlist=["Migration"]))):
            yield f"{app}.{name} imports something of Accord: write what it does without."


def _imports_us(names: Mapping[str, object]) -> bool:
    ours = (getattr(value, "__module__", None) or getattr(value, "__name__", "") for value in names.values())
    return any(_is_ours(str(one)) for one in ours)


def _files(settings: conf.AccordSettings) -> Iterator[str]:
    heads = conf.base_dir() / settings.audit_checkpoints
    if heads.exists():
        yield f"Keep or delete the signed heads of the audit trail: {heads} and what begins like it."
    if settings.attestations:
        yield f"Keep or delete the attestations: {conf.base_dir() / settings.attestations}"
    for config in apps.get_app_configs():
        for folder in (Path(config.path) / name for name in _FOLDERS):
            if config.label not in SUITE and folder.is_dir():
                yield f"Keep or delete the revisions, which nothing runs any more: {folder}"


def _texts(value: object) -> list[str]:
    values = [value] if isinstance(value, str) else value
    return [one for one in values if isinstance(one, str)] if isinstance(values, list | tuple) else []


def _is_ours(path: str) -> bool:
    return path.partition(".")[0] in SUITE


def _listed(names: list[str]) -> str:
    return ", ".join(f"“{name}”" for name in names)
