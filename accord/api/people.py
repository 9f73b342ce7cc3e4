"""Accounts in answers: by the random references of the audit trail, which identify no one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.contrib.auth import get_user_model

from accord import conf
from accord.models import ActorReference


def references(keys: Iterable[object]) -> Mapping[str, str]:
    """
    Return the references of accounts.

    Args:
        keys: Primary keys of accounts.

    Returns:
        Keys, as texts, to references; an account that was forgotten has none.
    """
    wanted = {str(key) for key in keys if key is not None}
    if not wanted:
        return {}
    known = ActorReference.objects.using(conf.load().coordinator)
    found = known.filter(kind=get_user_model()._meta.label_lower, key__in=wanted)
    return dict(found.values_list("key", "ref"))
