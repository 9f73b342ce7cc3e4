"""Models that have another label than the data map knows them by, because they went to another app."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.apps import apps
from django.db.backends.utils import truncate_name
from django.db.models import Model

from gdpr.datamap.entries import Entry
from gdpr.datamap.findings import Fault, MapFinding, about

_LONGEST = 63
FREEZE = "Once that is reviewed, run gdpr_datamap freeze."


def label_now(label: str) -> str:
    """
    Return the label that a model has now, as far as code tells.

    It is of the model with the table which Django gave it by its old label; or of the only one of its name.

    Args:
        label: A label of which there is no model, `app_label.Model`.

    Returns:
        Empty for the label of a model, for what is no label, and where nothing tells.
    """
    app, _, name = label.partition(".")
    if not name or _is_model(label):
        return ""
    table = truncate_name(f"{app}_{name.lower()}", _LONGEST)
    models = [model for model in apps.get_models() if model._meta.managed and not model._meta.proxy]
    heirs = [model for model in models if model._meta.db_table == table]
    named = [model for model in models if model._meta.model_name == name.lower()]
    return _only(heirs) or _only(named)


def by_label(entries: Iterable[Entry]) -> Mapping[str, Entry]:
    """Return entries whose model has another label now, by that label."""
    return {now: entry for entry in entries if not entry.table and (now := label_now(entry.target))}


def hint(label: str, usual: str = "Correct the entry.") -> str:
    """
    Return what to do about a label of which there is no model.

    Args:
        label: The label.
        usual: What to do where nothing tells that the model has another one now.
    """
    now = label_now(label)
    return f'Did it move? "{now}" has its name or its table: name that one. {FREEZE}' if now else usual


SUBJECT = "Correct SUBJECT: model is app_label.Model; key and lookups are fields of it."


def absent(entry: Entry, why: str) -> MapFinding:
    """
    Return that what an entry names isn't there.

    Args:
        entry: The entry.
        why: The rest of the sentence, behind “which”.
    """
    what = f"names {entry.target}, which {why}"
    return about(Fault.NO_TARGET, entry, what, hint(entry.target))


def entry_for(target: str, before: Entry | None) -> str:
    """
    Return what to do about a model or a table without an entry.

    Args:
        target: What an entry for it would name.
        before: An entry that may be about it by its old label; None where there is none.
    """
    if before is None:
        return f'Add an Entry for "{target}" to a privacy.py; Nothing(reason) is one.'
    what = f"Entry “{before.id}” names {before.target}, which is no model any more."
    return f"{what} Did it move? Name {target} in it. {FREEZE}"


def _only(models: list[type[Model]]) -> str:
    return models[0]._meta.label if len(models) == 1 else ""


def _is_model(label: str) -> bool:
    try:
        apps.get_model(label)
    except (LookupError, ValueError):
        return False
    return True
