"""Django's system checks: what is wrong with the data map without asking a server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's own name

from accord import conf
from accord.checks import is_complete
from accord.errors import AccordError, ConfigurationError
from gdpr.datamap import lock, review
from gdpr.datamap.findings import MapFinding, MapLevel
from gdpr.datamap.map import DataMap, declared_data_map, load_data_map
from gdpr.datamap.static import static_findings
from gdpr.erasure import policy, remains


@register(Tags.models)
def data_map_is_sound(**_: Any) -> Sequence[CheckMessage]:
    """Look at every app's `privacy.py`. A project without any has nothing to be checked."""
    try:
        declared = declared_data_map()
        return _messages(load_data_map()) if declared.entries or declared.subjects else []
    except AccordError as exc:
        return [Error(exc.message, hint=exc.hint, id="gdpr.E000")]


def _messages(data_map: DataMap) -> list[CheckMessage]:
    wrong = [_message(finding) for finding in static_findings(data_map)]
    return [*wrong, *map(_warning, dict.fromkeys(review.of_models(data_map, lock.load())))]


def _warning(finding: MapFinding) -> CheckMessage:
    """Warn of what `gdpr_datamap check` calls an error: a new field must stop no other command."""
    return Warning(finding.message, hint=finding.hint, id=finding.fault.value.replace(".E", ".W"))


@register(Tags.database)
def register_is_known(databases: Sequence[str] | None = None, **_: Any) -> Sequence[CheckMessage]:
    """Tell at once that the coordinating database was restored; `migrate` and `check --database` ask."""
    from django.db import DatabaseError

    from gdpr.errors import RegisterError
    from gdpr.register import restored

    if conf.load().coordinator not in (databases or ()):
        return []
    try:
        found = restored.database()
    except (RegisterError, DatabaseError):
        # Without its tables yet there is nothing to be known; what else is wrong, the health check tells.
        return []
    if found is None:
        return []
    text = f"The store {found.store} was restored: it doesn't know of erasures that the register holds."
    return [Warning(text, hint="See whom that brought back: gdpr_replay --dry-run", id="gdpr.W050")]


@register(Tags.database)
def approvals_can_be_given(databases: Sequence[str] | None = None, **_: Any) -> Sequence[CheckMessage]:
    """Tell at once of a group that isn't there or is too small; `migrate` and `check --database` ask."""
    if not is_complete():
        return []
    from accord import quorum_looks

    return quorum_looks.messages(databases, "gdpr.W051", policy.asked)


@register()
def register_has_a_place(**_: Any) -> Sequence[CheckMessage]:
    """Look at where the register of erasures is to be, before an erasure needs it."""
    from gdpr.register import named

    try:
        named.register()
    except ConfigurationError as exc:
        return [Error(exc.message, hint=exc.hint, id="gdpr.E902")]
    return []


@register()
def policy_is_readable(**_: Any) -> Sequence[CheckMessage]:
    """Read how erasures are worked on: an environment that is misspelt there would ask for nobody."""
    try:
        policy.load()
    except ConfigurationError as exc:
        return [Error(exc.message, hint=exc.hint, id="gdpr.E903")]
    return []


@register()
def backups_are_readable(**_: Any) -> Sequence[CheckMessage]:
    """Look at what is declared about backups, before a receipt needs it."""
    try:
        remains.load()
    except AccordError as exc:
        return [Error(exc.message, hint=exc.hint, id="gdpr.E901")]
    return []


def _message(finding: MapFinding) -> CheckMessage:
    kind = Error if finding.level is MapLevel.ERROR else Warning
    return kind(finding.message, hint=finding.hint, id=finding.fault.value)
