"""What can be seen of who a person is without asking a server: foldings, and keys of several people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import models

from accord.erased.folding import Fold
from gdpr.datamap.entries import Entry
from gdpr.datamap.findings import Fault, MapFinding, about
from gdpr.datamap.keys import KeyType, declared_fold, key_type
from gdpr.datamap.kinds import Subject
from gdpr.datamap.locators import Keyed, Simple, parts
from gdpr.errors import InvalidDataMap

_MAIL = "mail"
_HOW = (
    'Write Subject(folds={{"{name}": "email"}}), or "exact" where every place has the same spelling; '
    "see “Spellings” in the reference of the data map."
)


def identity(subjects: tuple[Subject, ...], entries: tuple[Entry, ...]) -> Iterator[MapFinding]:
    """
    Look for keys by which the data of one person would be missed, or be taken for another one's.

    Args:
        subjects: The kinds of people.
        entries: Where their data are.
    """
    for subject in subjects:
        yield from _declared(subject)
        yield from _lookups(subject)
    for entry in entries if subjects else ():
        for locator in parts(entry.locator):
            yield from _located(entry, locator)


def _declared(subject: Subject) -> Iterator[MapFinding]:
    keys = f"Keys: {', '.join(subject.names)}."
    for name, fold in subject.folds.items():
        if name not in subject.names or not _is_folding(fold):
            what = f"says of the key {name} how it is compared, and there is no such key or no such folding"
            yield _of_subject(subject, Fault.NO_FOLDING, what, f"{keys} Foldings: {', '.join(Fold)}.")
    for name in subject.earlier:
        if name not in subject.names or name == subject.key:
            what = f"says what {name} was before, which is no key that can change"
            yield _of_subject(subject, Fault.NO_KEY, what, keys)


def _lookups(subject: Subject) -> Iterator[MapFinding]:
    fields = _fields(subject)
    for name in subject.names:
        if _looks_folded(name, fields.get(name)) and name not in subject.folds:
            what = f"has the key {name}, and doesn't say whether Ada@Example.com is ada@example.com"
            yield _of_subject(subject, Fault.NOT_FOLDED, what, _HOW.format(name=name))
        if name in fields and not _is_unique(fields[name]):
            what = f"may be found by {name}, which several people can have"
            hint = "Make it unique; what has a key of two people is asked about, and not erased (ACC-829)."
            yield _of_subject(subject, Fault.SHARED_KEY, what, hint)


def _located(entry: Entry, locator: Simple | Any) -> Iterator[MapFinding]:
    if not isinstance(locator, Keyed) or not locator.fold:
        return
    if not _is_folding(locator.fold):
        yield about(
            Fault.NO_FOLDING, entry, f"folds its key by {locator.fold}", f"Foldings: {', '.join(Fold)}."
        )
    elif key_type(locator.type) is not KeyType.STR and locator.fold != Fold.EXACT:
        yield about(
            Fault.NO_FOLDING,
            entry,
            f"folds a key of type {key_type(locator.type)}, which has one spelling only",
            "Leave fold out.",
        )


def _of_subject(subject: Subject, fault: Fault, what: str, hint: str) -> MapFinding:
    return MapFinding(
        fault=fault, message=f"The subject {subject.model} {what}.", hint=hint, target=subject.model
    )


def _is_folding(declared: str) -> bool:
    try:
        declared_fold(declared)
    except InvalidDataMap:
        return False
    return True


def _fields(subject: Subject) -> dict[str, models.Field[Any, Any]]:
    try:
        model = apps.get_model(subject.model)
    except (LookupError, ValueError):
        return {}
    return {field.name: field for field in model._meta.concrete_fields}


def _looks_folded(name: str, field: models.Field[Any, Any] | None) -> bool:
    return isinstance(field, models.EmailField) or (
        _MAIL in name.lower() and isinstance(field, models.CharField)
    )


def _is_unique(field: models.Field[Any, Any]) -> bool:
    """Return whether the database lets one row have a value, in this spelling."""
    alone = [
        constraint
        for constraint in field.model._meta.constraints
        if isinstance(constraint, models.UniqueConstraint)
        and constraint.condition is None
        and (tuple(constraint.fields) == (field.name,) or _is_of(constraint, field.name))
    ]
    return field.unique or bool(alone)


def _is_of(constraint: models.UniqueConstraint, name: str) -> bool:
    """Return whether a constraint is on one expression of one field, as `Lower("email")` is."""
    expressions: Any = constraint.expressions
    named = [[one for each in found.flatten() if (one := getattr(each, "name", ""))] for found in expressions]
    return named == [[name]]
