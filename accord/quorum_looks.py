"""Whether the accounts that are there can give what a policy asks for: told by `check` and by health."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial

from django.apps import apps
from django.core.checks import CheckMessage, Warning  # noqa: A004 - Django's own name
from django.db import router

from accord.approvals import groups
from accord.approvals.quorum import Quorum
from accord.errors import AccordError, ConfigurationError
from accord.health.runner import Check, Finding, Level

Asked = Callable[[], tuple[Quorum, str]]
"""Gives what a policy asks for, and where that stands."""


def health(name: str, asked: Asked) -> Iterable[Check]:
    """
    Yield the check of a policy that names groups; one that asks for any second person needs none.

    Args:
        name: Of the check.
        asked: Reads the policy.
    """
    try:
        named = bool(asked()[0].groups)
    except ConfigurationError:
        named = True
    if named:
        yield Check(name=name, look=partial(_look, name, asked))


def _look(name: str, asked: Asked) -> Iterator[Finding]:
    try:
        quorum, place = asked()
        groups.refuse_unknown(quorum, place)
    except ConfigurationError as exc:
        yield Finding(name=name, level=Level.CRITICAL, message=exc.message, hint=exc.hint)
        return
    wanted = ", ".join(f"{count} of {group}" for group, count in quorum.groups.items())
    yield Finding(
        name=name, level=Level.OK, message=f"Groups have the accounts that approvals take: {wanted}."
    )


def messages(databases: Collection[str] | None, number: str, asked: Asked) -> list[CheckMessage]:
    """
    Return what `check --database` and `migrate` say of a policy.

    Args:
        databases: Aliases that may be asked.
        number: Id of the warning.
        asked: Reads the policy.
    """
    if not apps.is_installed("django.contrib.auth"):
        return []
    from django.contrib.auth.models import Group

    try:
        quorum, place = asked()
        if quorum.groups and router.db_for_read(Group) in (databases or ()):
            groups.refuse_unknown(quorum, place)
    except ConfigurationError as exc:
        # A warning: `migrate` itself may bring the tables in which the group is to be made.
        return [Warning(exc.message, hint=exc.hint, id=number)]
    except AccordError:
        # Away, or without these tables yet: nothing is known, which the checks of the store tell.
        return []
    return []
