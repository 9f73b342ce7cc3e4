"""Models that share their keys: proxies, and the parents and children of inheritance over several tables."""

from __future__ import annotations

from django.apps import apps
from django.db.models import Model

from gdpr.errors import InvalidDataMap

Kind = tuple[str, str]
"""App label and name of a model, as Django's content types have them."""


def kin(label: str) -> tuple[Kind, ...]:
    """
    Name every model under which a log may know the rows of one: the same key is the same row in all of them.

    Args:
        label: `app_label.Model`.

    Raises:
        InvalidDataMap: It is no label.
    """
    app_label, _, name = label.partition(".")
    if not name:
        raise InvalidDataMap(
            f"“{label}” is no label of a model.", hint="Write Generic's models as app_label.Model."
        )
    try:
        table = keys_of(apps.get_model(label))
    except LookupError:
        # A log outlives the app whose rows it tells of.
        return ((app_label, name.lower()),)
    models = apps.get_models(include_auto_created=True)
    return tuple(_kind(model) for model in models if keys_of(model) == table)


def strangers(label: str) -> tuple[str, ...]:
    """Return the labels of parents and children that have keys of their own."""
    try:
        model = apps.get_model(label)
    except (LookupError, ValueError):
        return ()
    related = [one for one in apps.get_models() if issubclass(one, model) or issubclass(model, one)]
    return tuple(one._meta.label for one in related if keys_of(one) != keys_of(model))


def _kind(model: type[Model]) -> Kind:
    return model._meta.app_label, str(model._meta.model_name)


def keys_of(model: type[Model]) -> str:
    """Return the table that gives a model its keys: its own, or that of the parent its key points at."""
    key = model._meta.pk
    while key.remote_field is not None and key.remote_field.parent_link:
        key = key.remote_field.model._meta.pk
    return str(key.model._meta.db_table)
