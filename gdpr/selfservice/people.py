"""Whose page it is: the person that an account belongs to, by the links of the data map itself."""

from __future__ import annotations

from accord.acting import Account
from gdpr.datamap.subjects import SubjectKeys
from gdpr.erasure import own_accounts


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
    # Whose of several it is can't be guessed.
    found = {(keys.kind, keys.primary): keys for keys in own_accounts.people_of(account)}
    [only, *others] = found.values() or (None,)
    return only if not others and only is not None and own_accounts.is_theirs(account, only) else None
