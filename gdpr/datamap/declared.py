"""What apps declare about personal data: the modules, and what stands in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from types import ModuleType

from django.apps import apps
from django.utils.module_loading import module_has_submodule

from gdpr.datamap.entries import Entry
from gdpr.datamap.kinds import Subject
from gdpr.errors import InvalidDataMap

MODULE = "privacy"


def modules() -> Iterator[ModuleType]:
    """
    Import `privacy.py` of every installed app that has one.

    Raises:
        InvalidDataMap: One can't be imported.
    """
    for config in apps.get_app_configs():
        if config.module is not None and module_has_submodule(config.module, MODULE):
            try:
                yield import_module(f"{config.name}.{MODULE}")
            except InvalidDataMap:
                raise
            except Exception as exc:
                raise InvalidDataMap(
                    f"{config.name}.{MODULE} can't be imported: {type(exc).__name__}: {exc}.",
                    hint="Correct the module; `python -c` with the import shows the whole traceback.",
                ) from exc


def entries_of(module: ModuleType) -> Iterator[Entry]:
    """
    Yield the entries of one app's `DATA_MAP`.

    Raises:
        InvalidDataMap: Something else is in it.
    """
    for item in getattr(module, "DATA_MAP", ()):
        group = [item] if isinstance(item, Entry) else item
        if not isinstance(group, Iterable) or isinstance(group, str):
            raise _no_entry(module, item)
        for entry in group:
            if not isinstance(entry, Entry):
                raise _no_entry(module, entry)
            yield entry


def _no_entry(module: ModuleType, item: object) -> InvalidDataMap:
    return InvalidDataMap(
        f"DATA_MAP of {module.__name__} holds a {type(item).__name__}, which is no entry.",
        hint="DATA_MAP is a list of Entry(...) and of functions' results that are lists of them.",
    )


def with_subjects(known: tuple[Subject, ...], module: ModuleType) -> tuple[Subject, ...]:
    """
    Add the kinds of people that one app declares.

    Args:
        known: Those of the apps before it.
        module: The app's `privacy.py`.

    Raises:
        InvalidDataMap: `SUBJECT` is something else, or can't be told from one before it.
    """
    declared = getattr(module, "SUBJECT", ())
    for subject in declared if isinstance(declared, tuple | list) else (declared,):
        if not isinstance(subject, Subject):
            raise InvalidDataMap(
                f"SUBJECT of {module.__name__} is no Subject.",
                hint="Declare one Subject, or a tuple of them: one for each kind of person.",
            )
        known = (*known, subject)
        _require_distinct(known, module.__name__)
    return known


def _require_distinct(subjects: tuple[Subject, ...], module: str) -> None:
    """Refuse two kinds of people that can't be told apart by what they are called, or by their model."""
    *before, last = subjects
    if any(one.called == last.called or one.model.lower() == last.model.lower() for one in before):
        raise InvalidDataMap(
            f"SUBJECT of {module} is the second one called “{last.called}”, or of {last.model}.",
            hint='Give each kind of person a model of its own and a name: Subject(name="employee", ...).',
        )
