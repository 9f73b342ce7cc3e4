"""
Who counts as a second person: one rule for erasures, holds and plans.

Four eyes are those of two people, and all that a program can see are accounts. So a second account
has to be another one than that of whoever asked, active when it decides and when its decision is
acted on, and not made for the occasion: the trail has to have known it when the thing was asked
for. Known are accounts that could have decided then, and those that had acted by then. The
trail's own note of the first sight counts, by the server's clock, which no form of an admin can
set back; `date_joined` is whatever somebody types.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import PermissionsMixin
from django.db import connections, router
from django.db.models import Exists, OuterRef, Q

from accord import conf, db
from accord.audit.events import EventKind
from accord.models import ActorReference, AuditEvent

INACTIVE = "the account that gave it is gone or not active any more"
NEWER = "the audit trail did not know the account that gave it when it was asked for"
_ANY = Q(is_superuser=True)

_KNOWN = """
    SELECT asked.ref, asked.account FROM unnest(%s::text[], %s::text[]) AS asked(ref, account)
    JOIN accord_actorreference AS sight ON sight.kind = %s AND sight.key = asked.account
    WHERE sight.made_at <= (
        SELECT min(event.at) FROM accord_auditevent AS event
        WHERE event.object_ref = asked.ref AND event.event = %s
    )
"""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """
    How the trail says that something was asked for which a second person decides.

    Attributes:
        event: The kind of its event.
        permission: What a second person needs to decide about it.
    """

    event: EventKind
    permission: str


def sight(asked: Asked) -> None:
    """
    Note that the accounts which could decide are there, in the transaction in which something is asked for.

    An account whose permissions come from elsewhere than Django's tables is known once it has acted.

    Args:
        asked: What.
    """
    kind = get_user_model()._meta.label_lower
    references = ActorReference.objects.using(conf.load().coordinator)
    keys = _could_decide(asked.permission)
    known = set(references.filter(kind=kind, key__in=keys).values_list("key", flat=True))
    made = [ActorReference(ref=uuid.uuid4().hex, kind=kind, key=key) for key in sorted(keys - known)]
    # Another process may have seen one a moment ago: theirs stays.
    references.bulk_create(made, ignore_conflicts=True)


def _could_decide(permission: str) -> set[str]:
    model = get_user_model()
    if not issubclass(model, PermissionsMixin):
        return set()
    app, _, codename = permission.partition(".")
    own = Q(user_permissions__content_type__app_label=app, user_permissions__codename=codename)
    of_group = Q(groups__permissions__content_type__app_label=app, groups__permissions__codename=codename)
    accounts = model._default_manager.filter(is_active=True)
    with _reading_accounts():
        # One after the other: joined by OR, none of them would be read from an index.
        found = [set(accounts.filter(which).values_list("pk", flat=True)) for which in (_ANY, own, of_group)]
    return {str(key) for key in set[object]().union(*found)}


def known(pairs: Collection[tuple[str, object]], asked: Asked) -> set[tuple[str, str]]:
    """
    Return what was asked for when the trail knew who decides about it.

    Args:
        pairs: References of what was asked for, each with the key of an account that decides.
        asked: What it was.

    Returns:
        References with keys. One of which the trail has no event is missing: nobody can say when that was.
    """
    kind = get_user_model()._meta.label_lower
    refs, keys = [ref for ref, _ in pairs], [str(key) for _, key in pairs]
    with connections[conf.load().coordinator].cursor() as cursor:
        cursor.execute(_KNOWN, [refs, keys, kind, asked.event.value])
        return set(cursor.fetchall())


def is_known(ref: str, key: object, asked: Asked) -> bool:
    """Return whether the trail knew an account when something was asked for."""
    return bool(known([(ref, key)], asked))


def is_known_to(key: object, asked: Asked) -> Q:
    """
    Return the condition on rows with a `reference`, in the database of the trail, that it knew an account.

    Args:
        key: Of the account.
        asked: What the rows are.
    """
    using = conf.load().coordinator
    sights = ActorReference.objects.using(using).filter(kind=get_user_model()._meta.label_lower, key=str(key))
    told = AuditEvent.objects.using(using).filter(event=asked.event.value, object_ref=OuterRef("reference"))
    seen = sights.values_list("made_at", flat=True).first()
    if seen is None:
        return Q(pk__in=())
    # As in _KNOWN: the first event counts, so none may be older than the sight.
    return Q(Exists(told)) & ~Q(Exists(told.filter(at__lt=seen)))


def active(keys: Collection[Any]) -> set[str]:
    """Return the accounts, of those with these keys, that are there and active."""
    accounts = get_user_model()._default_manager.filter(pk__in=keys, is_active=True)
    with _reading_accounts():
        return {str(key) for key in accounts.values_list("pk", flat=True)}


def _reading_accounts() -> AbstractContextManager[None]:
    return db.reading("The table of accounts", router.db_for_read(get_user_model()))
