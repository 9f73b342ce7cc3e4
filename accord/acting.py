"""
Who acts on the command line: one rule for every command.

Whoever is signed in to the machine under the name of an account acts as that account. Acting as
another one takes its password (:mod:`accord.proof`), so that one person can't be two: without this,
four eyes would be two eyes and a flag. Who is signed in is what the system says of the process (its
user id), never a variable of the environment, which any user can set.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ImproperlyConfigured
from django.db import router

from accord import db
from accord.audit import trail
from accord.errors import UsageError

Account = AbstractBaseUser
"""A user of the project, in the words of Django's `contrib.auth`."""
_working_for: ContextVar[Account | None] = ContextVar("accord_working_for", default=None)


@contextmanager
def working_for(account: Account | None) -> Iterator[None]:
    """
    Let what is done meanwhile be done by an account, wherever no other one is named.

    A worker writes its events in many places; none of them can forget who sent it.

    Args:
        account: Who; None is the suite itself.
    """
    before = _working_for.set(account)
    try:
        yield
    finally:
        _working_for.reset(before)


def worker() -> Account | None:
    """Return the account that this process, or this request to it, works for; None is the suite itself."""
    return _working_for.get()


def actor(account: Account | None) -> trail.Actor:
    """Return the random reference that stands for an account in the audit trail; None is the suite itself."""
    if account is None:
        return trail.SYSTEM
    return trail.person(account.pk, kind=account._meta.label_lower)


def of_account(key: object, *, using: str) -> trail.Actor:
    """
    Return who stands for an account in the audit trail of a database, as :func:`actor` does.

    Args:
        key: Its primary key; None is the suite itself.
        using: The database.
    """
    if key is None:
        return trail.SYSTEM
    return trail.person(key, kind=get_user_model()._meta.label_lower, using=using)


def key_of_signed_in() -> object:
    """
    Return the key of the account of the user who is signed in to the machine.

    Nothing but the key is asked for: other columns may be what a run is about to make.

    Returns:
        None where there is no such account, or no accounts that can be read.
    """
    try:
        model = get_user_model()
        found = model._default_manager.using(router.db_for_read(model))
        return found.filter(**{model.USERNAME_FIELD: signed_in()}).values_list("pk", flat=True).first()
    except (ImproperlyConfigured, *db.ERRORS):
        return None


def signed_in() -> str:
    """Return the name that the system has for the user of this process; empty where it has none."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return ""


def named(name: str, hint: str = "Name the account that acts with --as USERNAME.") -> Account:
    """
    Find an account by its user name.

    Args:
        name: The name.
        hint: What to do where there is none.

    Raises:
        UsageError: There is none.
        StoreUnavailable: The database of the accounts can't be reached.
        StoreError: It can be, and has no table of accounts that can be read.
    """
    account = _named(name)
    if account is None:
        raise UsageError(f"There is no account “{name}”.", hint=hint)
    return account


def _named(name: str) -> Account | None:
    model = get_user_model()
    # Where it can't be told, that is said; "no such account" would be a guess.
    with db.reading("The table of accounts", router.db_for_read(model)):
        account: Account | None = model._default_manager.filter(**{model.USERNAME_FIELD: name}).first()
    return account
