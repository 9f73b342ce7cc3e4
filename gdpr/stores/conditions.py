"""Locators and actions as conditions of Django's ORM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from accord.erased.subject_key import same
from gdpr.datamap.actions import Action, Anonymise, Detach, Retain, Unset
from gdpr.datamap.keys import Plain, variants
from gdpr.datamap.kin import kin
from gdpr.datamap.locators import (
    AnyOf,
    Array,
    External,
    Generic,
    Key,
    Keyed,
    Locator,
    Path,
    Rows,
    Sessions,
    Through,
)
from gdpr.datamap.strategies import Equals, Strategy
from gdpr.datamap.subjects import Keys
from gdpr.errors import ErasureRefused
from gdpr.stores.base import every_row
from gdpr.stores.lookups import AMONG, JOINED, Values

NOTHING = Q(pk__in=())
_PAGE = 2_000


def values_of(locator: Keyed, keys: Keys) -> tuple[Any, ...]:
    """Return the forms of the key that a locator compares with; none where the person has no such key."""
    return tuple(form for value in keys.values(locator.by) for form in variants(value, locator.type))


def collected(entry_id: str, keys: Keys) -> tuple[Plain, ...]:
    """
    Return the collected keys of an entry.

    Raises:
        ErasureRefused: They were not collected; finding nothing would be a lie.
    """
    if entry_id not in keys.collected:
        raise ErasureRefused(
            f"The keys of entry “{entry_id}” have not been collected.",
            hint="Collect the entries of DataMap.to_collect() before anything is looked for.",
        )
    return keys.collected[entry_id]


def condition(  # noqa: C901, PLR0911 - one case a locator
    alias: str, model: type[models.Model], locator: Locator | None, keys: Keys
) -> Q:
    """
    Turn a locator into a condition on a model.

    Args:
        alias: Database.
        model: Where to look.
        locator: What to look for.
        keys: Whom.
    """
    match locator:
        case None:
            return NOTHING
        case Key():
            return Q(**{f"{locator.field}__{AMONG}": Values(values_of(locator, keys))}, **locator.where)
        case Path():
            return _any(Q(**{locator.path.replace(".", "__"): value}) for value in values_of(locator, keys))
        case Array():
            return _any(_contains(model, locator, value) for value in values_of(locator, keys))
        case Through():
            found = Q(**{f"{locator.path}__{AMONG}": Values(values_of(locator, keys))})
            return _walked(alias, model, found)
        case Rows():
            wanted = (variants(key, locator.type) for key in collected(locator.entry, keys))
            forms = Values(form for each in wanted for form in each)
            return Q(**{f"{locator.field}__{AMONG}": forms}, **locator.where)
        case Generic():
            return _logged_in(alias, model, locator, keys)
        case Sessions():
            return Q(pk__in=[session for session, _ in sessions(alias, model, locator, keys)])
        case AnyOf():
            return _any(condition(alias, model, part, keys) for part in locator.locators)
        case External():
            raise ErasureRefused(
                f"The table of {model._meta.label} can't be searched by a class of the project.",
                hint='Write store="external:NAME" beside External(...).',
            )


def pending(model: type[models.Model], action: Action) -> Q:
    """Return the condition on rows that an action has still to change."""
    match action:
        case Detach(name):
            return Q(**{f"{name}__isnull": False})
        case Unset(fields):
            return _any(~_empty(model, name) for name in fields)
        case Anonymise() | Retain():
            return _any(~_settled(name, strategy) for name, strategy in action.strategies.items())
        case _:
            return Q()


def without_elements(locator: Array, keys: Keys, content: Any) -> Any:
    """
    Take a person's elements out of the content of a column.

    Args:
        locator: Which elements.
        keys: Whose.
        content: The whole column.
    """
    steps = [step for step in locator.array.split(".")[1:] if step]
    chosen = partial(_is_own, locator, values_of(locator, keys))
    if not steps:
        return [one for one in content or () if not chosen(one)]
    changed = dict(content or {})
    place: dict[str, Any] = changed
    for step in steps[:-1]:
        place[step] = dict(place.get(step) or {})
        place = place[step]
    place[steps[-1]] = [one for one in place.get(steps[-1]) or () if not chosen(one)]
    return changed


def sessions(
    alias: str, model: type[models.Model], locator: Sessions, keys: Keys
) -> Iterator[tuple[str, str]]:
    """Read all sessions, page by page, and yield those that belong to a user: its key, and the user's."""
    wanted = {str(key) for key in collected(locator.entry, keys)}
    last = ""
    while wanted:
        page = list(every_row(model, alias).filter(pk__gt=last).order_by("pk")[:_PAGE])
        for session in page:
            # A session whose signature is broken belongs to no user: Django would not open it either.
            user = str(session.get_decoded().get(locator.key))  # type: ignore[attr-defined]  # a Session
            if user in wanted:
                yield session.pk, user
        if len(page) < _PAGE:
            return
        last = page[-1].pk


def _walked(alias: str, model: type[models.Model], found: Q) -> Q:
    """Look in a subquery: rows can't be locked behind an outer join, and joins give rows twice."""
    return Q(pk__in=every_row(model, alias).filter(found).values("pk"))


def _contains(model: type[models.Model], locator: Array, value: Any) -> Q:
    column, *steps = locator.array.split(".")
    if isinstance(model._meta.get_field(column), ArrayField):
        return Q(**{f"{column}__contains": [value]})
    wanted: Any = value
    for step in reversed([step for step in locator.inner.split(".") if step]):
        wanted = {step: wanted}
    wanted = [wanted]
    for step in reversed(steps):
        wanted = {step: wanted}
    return Q(**{f"{column}__contains": wanted})


def _inner(locator: Array, element: Any) -> Any:
    for step in [step for step in locator.inner.split(".") if step]:
        element = element.get(step) if isinstance(element, Mapping) else None
    return element


def _is_own(locator: Array, wanted: Sequence[Any], element: Any) -> bool:
    return any(same(key, _inner(locator, element)) for key in wanted)


def _logged_in(alias: str, model: type[models.Model], locator: Generic, keys: Keys) -> Q:
    """Look for each kind of row by itself: what is joined by “or” reads the whole log, or each key."""
    rows = every_row(model, alias).order_by()
    found = [rows.filter(one).values("pk") for one in _logged(locator, keys)]
    if not found:
        return NOTHING
    return Q(pk__in=found[0].union(*found[1:], all=True) if found[1:] else found[0])


def _logged(locator: Generic, keys: Keys) -> Iterator[Q]:
    for entry_id, label in locator.of.items():
        texts = Values(str(key) for key in collected(entry_id, keys))
        for app_label, name in kin(label) if texts else ():
            yield Q(
                **{
                    f"{locator.content_type}__app_label": app_label,
                    f"{locator.content_type}__model": name,
                    f"{locator.object_id}__{JOINED}": texts,
                }
            )


def _settled(name: str, strategy: Strategy) -> Q:
    test = strategy.settled
    empty = Q(**{f"{name}__isnull": True})
    if isinstance(test, Equals):
        return empty if test.value is None else empty | Q(**{name: test.value})
    return empty | Q(**{f"{name}__regex": f"^{test.pattern}$"})


def _empty(model: type[models.Model], name: str) -> Q:
    is_null = Q(**{f"{name}__isnull": True})
    field = model._meta.get_field(name)
    return is_null | Q(**{name: ""}) if isinstance(field, models.CharField | models.TextField) else is_null


def _any(conditions: Iterator[Q] | Sequence[Q]) -> Q:
    """Join conditions with “or”; none of them is never true."""
    joined: Q | None = None
    for one in conditions:
        joined = one if joined is None else joined | one
    return NOTHING if joined is None else joined
