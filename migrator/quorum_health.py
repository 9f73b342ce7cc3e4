"""Whether the approvals that the policy of this environment asks for can be given by the accounts there."""

from __future__ import annotations

from collections.abc import Iterable

from accord import conf, quorum_looks
from accord.approvals.quorum import ONE, Quorum
from accord.health.runner import Check
from migrator.governance import policy

NAME = "approvals"


def checks() -> Iterable[Check]:
    """Yield the check, where groups are named."""
    return quorum_looks.health(NAME, asked)


def asked() -> tuple[Quorum, str]:
    """
    Return what the policy of this environment asks for, and where that stands.

    Raises:
        ConfigurationError: It can't be read.
    """
    settings = conf.load()
    found = policy.load(settings).of(settings.environment)
    return found.approvals if found.approval else ONE, policy.place_of_approvals(settings.environment)
