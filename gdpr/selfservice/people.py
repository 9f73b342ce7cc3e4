"""Whose page it is: the person that an account belongs to, by the links of the data map itself."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.contrib.auth import get_user_model

from accord.acting import Account
from gdpr.datamap.entries import Entry
from gdpr.datamap.locators import Key, parts
from gdpr.datamap.map import DataMap, load_data_map
from gdpr.datamap.subjects import SubjectKeys
from gdpr.erasure import own_accounts
from gdpr.errors import AmbiguousSubject, UnknownSubject, WrongKeyType


def person_of(account: Account) -> SubjectKeys | None:
    """
    Find the person that an account belongs to.

    Args:
        account: Who is signed in.

    Returns:
        None where the data map leads to nobody, or to more than one.

    Raises:
        StoreUnavailable: A store can't be asked.
    """
    data_map = load_data_map()
    found = {keys.primary: keys for keys in _candidates(account, data_map)}
    [only, *others] = found.values() or (None,)
    return only if not others and only is not None and own_accounts.is_theirs(account, only) else None


def _candidates(account: Account, data_map: DataMap) -> Iterator[SubjectKeys]:
    for value, by in dict.fromkeys(_links(account, data_map)):
        try:
            yield data_map.resolve(value, by)
        except (UnknownSubject, WrongKeyType):
            continue
        except AmbiguousSubject:
            # Whose of several it is can't be guessed: two candidates are none.
            yield from (SubjectKeys(kind="", primary=one) for one in ("one", "another"))


def _links(account: Account, data_map: DataMap) -> Iterator[tuple[str, str]]:
    """Yield values of an account that are keys of a person, with the names of the keys."""
    subject = data_map.subject
    if subject is None:
        return
    if _is_of_accounts(subject.model):
        yield str(account.pk), subject.key
        return
    for entry in data_map.looked_at():
        if _is_of_accounts(entry.target):
            yield from _keys(account, entry, subject.key)


def _keys(account: Account, entry: Entry, primary: str) -> Iterator[tuple[str, str]]:
    for locator in parts(entry.locator):
        if isinstance(locator, Key) and (value := getattr(account, locator.field, None)) is not None:
            yield str(value), locator.by or primary


def _is_of_accounts(target: str) -> bool:
    try:
        model = apps.get_model(target)
    except (LookupError, ValueError):
        return False
    return model._meta.concrete_model is get_user_model()._meta.concrete_model
