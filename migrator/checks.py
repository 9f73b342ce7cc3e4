"""Django's system check of the policy: what can be told of approvals before anybody asks for one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error

from accord import conf
from accord.checks import is_complete
from accord.errors import ConfigurationError


def policy_can_be_kept(databases: Sequence[str] | None = None, **_: Any) -> Sequence[CheckMessage]:
    """Tell at once of a group that isn't there or is too small; `migrate` and `check --database` ask."""
    if not is_complete():
        return []
    from accord import quorum_looks
    from migrator.quorum_health import asked

    return quorum_looks.messages(databases, "migrator.W001", asked)


def policy_is_readable(**_: Any) -> Sequence[CheckMessage]:
    """Read what environments ask of a run: what is misspelt there would ask for nothing."""
    if not is_complete():
        return []
    from migrator.governance import policy

    try:
        settings = conf.load()
    except ConfigurationError:
        return []  # accord.E001
    try:
        policy.load(settings)
    except ConfigurationError as exc:
        return [Error(exc.message, hint=exc.hint, id="migrator.E001")]
    return []
