"""
Which accounts are those of the person whom a request is about, by the links of the data map itself.

A person is rarely the same row as their account: listener 7 signs in as `ada@example.com`. The map
says how one leads to the other, because an erasure has to find the account; whoever has it is the
person, and decides nothing about their own erasure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from django.apps import apps
from django.contrib.auth import get_user_model

from accord.acting import Account
from gdpr.datamap.entries import Entry
from gdpr.datamap.kinds import Subject
from gdpr.datamap.locators import Key, needs, parts
from gdpr.datamap.map import DataMap, load_data_map
from gdpr.datamap.renewal import looked_up
from gdpr.datamap.subjects import SubjectKeys
from gdpr.erasure import encryption
from gdpr.errors import WrongKeyType
from gdpr.stores import per_person
from gdpr.stores.base import opened_stores
from gdpr.stores.per_person import People

_ONE = 0


def is_theirs(person: Account, keys: SubjectKeys) -> bool:
    """
    Return whether an account is that of the person whom keys stand for.

    Args:
        person: The account.
        keys: The person's.

    Raises:
        StoreUnavailable: The accounts can't be read, so it can't be said.
    """
    if encryption.tag_of_key(person._meta.label, person.pk) == encryption.tag_of(keys):
        return True
    return str(person.pk) in of_people({_ONE: keys})[_ONE]


def people_of(account: Account) -> Iterator[SubjectKeys]:
    """
    Find everybody whom an account may belong to, by what stands in it now; whoever has its e-mail is one.

    Args:
        account: The account.

    Raises:
        StoreUnavailable: The people can't be read.
    """
    the_map = load_data_map()
    found = [(one.model, *link) for one in the_map.subjects for link in _links(account, the_map, one)]
    for kind, value, by in dict.fromkeys(found):
        subject = the_map.kind(kind)
        with suppress(WrongKeyType):
            yield from looked_up(subject, dict(enumerate(subject.people(value, by)))).values()


def _links(account: Account, the_map: DataMap, subject: Subject) -> Iterator[tuple[str, str]]:
    """Yield values of an account that are keys of a person of a kind, with the names of the keys."""
    if _is_of_accounts(subject.model):
        yield str(account.pk), subject.key
        return
    for entry in the_map.of(subject.model).looked_at():
        if _is_of_accounts(entry.target):
            yield from _links_of(account, entry, subject.key)


def _links_of(account: Account, entry: Entry, primary: str) -> Iterator[tuple[str, str]]:
    for locator in parts(entry.locator):
        if isinstance(locator, Key) and (value := getattr(account, locator.field, None)) is not None:
            yield str(value), locator.by or primary


def of_people(people: People) -> Mapping[int, frozenset[str]]:
    """
    Return the primary keys of the accounts that the data map finds for people.

    Args:
        people: Whose.

    Raises:
        StoreUnavailable: The accounts can't be read.
    """
    the_map = load_data_map()
    accounts = _accounts(the_map)
    if not accounts:
        return dict.fromkeys(people, frozenset())
    with opened_stores() as stores:
        for entry in _with_what_they_need(the_map, accounts):
            people = per_person.collect(stores[entry.store], entry, people)
    return {one: frozenset(_found(keys, accounts)) for one, keys in people.items()}


def _found(keys: SubjectKeys, accounts: Sequence[Entry]) -> set[str]:
    rows = (row for entry in accounts for row in (*keys.collected.get(entry.id, ()), *keys.apart(entry.id)))
    return {str(row) for row in rows}


def _accounts(the_map: DataMap) -> list[Entry]:
    return [entry for entry in the_map.looked_at() if _is_of_accounts(entry.target)]


def _is_of_accounts(target: str) -> bool:
    try:
        model = apps.get_model(target)
    except (LookupError, ValueError):
        return False
    return model._meta.concrete_model is get_user_model()._meta.concrete_model


def _with_what_they_need(the_map: DataMap, accounts: Sequence[Entry]) -> list[Entry]:
    """Return entries behind those whose rows lead to them."""
    wanted, waiting = {one.id for one in accounts}, list(accounts)
    while waiting:
        for need in needs(waiting.pop().locator):
            if need in the_map.by_id and need not in wanted:
                wanted.add(need)
                waiting.append(the_map.entry(need))
    before = [one for one in the_map.to_collect() if one.is_looked_at and one.id in wanted]
    return [*before, *(one for one in accounts if one not in before)]
