"""Django's system check of the policy: what can be told of approvals before anybody asks for one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage


def policy_can_be_kept(databases: Sequence[str] | None = None, **_: Any) -> Sequence[CheckMessage]:
    """Tell at once of a group that isn't there or is too small; `migrate` and `check --database` ask."""
    # Loaded here: without the kernel's app these modules can't be imported, and another check says why.
    from accord import quorum_looks
    from migrator.quorum_health import asked

    return quorum_looks.messages(databases, "migrator.W001", asked)
