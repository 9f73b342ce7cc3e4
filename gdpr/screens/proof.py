"""Proof of who sits at the screen, in the environments that ask for it at the command line, too."""

from __future__ import annotations

from accord import conf
from accord.proof_policy import policy


def is_asked_for() -> bool:
    """Return whether the policy of this environment asks for proof before what counts."""
    settings = conf.load()
    return policy(settings.policy).asks(settings.environment)
