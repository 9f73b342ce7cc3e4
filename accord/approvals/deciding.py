"""Whether an account may decide about what was asked for: one rule for every kind of thing."""

from __future__ import annotations

import enum
from collections.abc import Collection

from accord import second_person
from accord.acting import Account
from accord.approvals.decision import Deciding


class Hindrance(enum.Enum):
    """Why an account is no second person to something."""

    ASKED = "asked"
    """It asked for it, or made its plan."""
    UNKNOWN = "unknown"
    """The trail did not know it when that was asked for."""


def hindrance(
    person: Account, ref: str, askers: Collection[str], deciding: Deciding, *, approving: bool = True
) -> Hindrance | None:
    """
    Say why an account can't decide about something. Superusers are no exception.

    Args:
        person: The account.
        ref: Random reference of what it would decide about.
        askers: Keys of the accounts that asked for it or made its plan.
        deciding: What kind of thing that is.
        approving: Whether it has to be one that was known before; a yes always does.

    Returns:
        None where it can.
    """
    if str(person.pk) in askers:
        return Hindrance.ASKED
    if approving and not second_person.is_known(ref, person.pk, deciding.asked):
        return Hindrance.UNKNOWN
    return None
