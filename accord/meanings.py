"""Codes and names of the suite in words for people, with the code beside them for programs and searches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.apps import apps
from django.utils.translation import gettext

from accord.errors import AccordError


def meaning(code: str) -> str:
    """
    Return what an error's code means, with the code.

    Args:
        code: Of an :class:`~accord.errors.AccordError`; one that nobody knows, and nothing, are returned.
    """
    said = next((_sentence(kind) for kind in _kinds(AccordError) if kind.code == code), "")
    return f"{gettext(said)} ({code})" if said else code


def _sentence(kind: type[AccordError]) -> str:
    return (kind.__doc__ or "").strip().partition("\n")[0].rstrip(".")


def _kinds(kind: type[AccordError]) -> Iterator[type[AccordError]]:
    yield kind
    for one in kind.__subclasses__():
        yield from _kinds(one)


def permission(name: str) -> str:
    """
    Return what a permission lets its owner do, with its name: `“Can add legal hold” (gdpr.add_legalhold)`.

    Args:
        name: App and codename, with a dot between.
    """
    app, _, codename = name.partition(".")
    label = next((words for known, words in _declared(app) if known == codename), "")
    return f"“{label}” ({name})" if label else name


def permissions(names: Iterable[str]) -> str:
    """Return permissions of which one is enough, in one phrase."""
    return " or ".join(permission(name) for name in names)


def _declared(app: str) -> Iterator[tuple[str, str]]:
    """Yield the permissions of an app as its models declare them, in Django's words; no database is asked."""
    models = (model for model in apps.get_models() if model._meta.app_label == app)
    for options in (model._meta for model in models):
        yield from ((codename, str(label)) for codename, label in options.permissions)
        for action in options.default_permissions:
            yield f"{action}_{options.model_name}", f"Can {action} {options.verbose_name_raw}"
