"""Django's groups, as a quorum names them: who is in which, and whether a policy can be kept at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.contrib.auth import get_user_model
from django.contrib.auth.models import PermissionsMixin
from django.db import router

from accord import db
from accord.acting import Account
from accord.approvals.quorum import Quorum
from accord.errors import ConfigurationError


def of_accounts(keys: Collection[str]) -> dict[str, set[str]]:
    """
    Return the groups of active accounts; those that are gone or locked are missing.

    Args:
        keys: Primary keys of accounts.

    Raises:
        StoreUnavailable: The accounts can't be read.
    """
    model = get_user_model()
    if not issubclass(model, PermissionsMixin):
        return {key: set() for key in keys}
    found: dict[str, set[str]] = {}
    with db.reading("The table of accounts", router.db_for_read(model)):
        rows = model._default_manager.filter(pk__in=keys, is_active=True).values_list("pk", "groups__name")
        for key, group in rows:
            found.setdefault(str(key), set()).update({group} - {None})
    return found


def has_place(person: Account, quorum: Quorum) -> bool:
    """
    Return whether an account's yes could be one of those that are asked for, whoever else has said yes.

    Args:
        person: The account.
        quorum: What the policy asks for.

    Raises:
        StoreUnavailable: The accounts can't be read.
    """
    key = str(person.pk)
    return not quorum.groups or not quorum.groups.keys().isdisjoint(of_accounts([key]).get(key, ()))


def refuse_unknown(quorum: Quorum, place: str) -> None:
    """
    Make sure that a policy can be kept: its groups are there, and have as many active accounts as it names.

    Args:
        quorum: What the policy asks for.
        place: Where it stands, for the message.

    Raises:
        ConfigurationError: Nobody could ever satisfy it.
        StoreUnavailable: The accounts can't be read.
    """
    there = _sizes(quorum.groups)
    for name, needed in quorum.groups.items():
        if name not in there:
            fact = f"{place} names the group “{name}”, which doesn't exist."
            raise ConfigurationError(fact, hint="Make the group in the admin, or correct the name.")
        if there[name] < needed:
            raise ConfigurationError(
                f"{place} asks for {needed} of the group “{name}”, which has {there[name]} active accounts.",
                hint="Put accounts into the group in the admin, or ask for fewer.",
            )


def _sizes(names: Collection[str]) -> Mapping[str, int]:
    model = get_user_model()
    if not names or not issubclass(model, PermissionsMixin):
        return {}
    from django.contrib.auth.models import Group
    from django.db.models import Count, Q

    with db.reading("The table of groups", router.db_for_read(Group)):
        active = Count("user", filter=Q(user__is_active=True))
        return dict(Group.objects.filter(name__in=names).annotate(size=active).values_list("name", "size"))
