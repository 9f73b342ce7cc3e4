"""What accounts may do about plans, and what they are called."""

from __future__ import annotations

from django.contrib.auth import get_user_model

from accord import meanings
from accord.acting import Account
from accord.approvals import groups
from accord.approvals.quorum import Quorum
from accord.audit.events import ObjectKind
from accord.denied import Denial
from accord.errors import UsageError
from migrator.errors import NotEntitled

REQUEST = "migrator.add_planapproval"
APPROVE = "migrator.approve_planapproval"
ATTEST = "migrator.add_attestation"


def require(person: Account, permission: str, ref: str = "", kind: ObjectKind = ObjectKind.APPROVAL) -> None:
    """
    Make sure that a person may do something.

    Args:
        person: Who.
        permission: To do what.
        ref: Reference of what it would be done to, for the event of a refusal.
        kind: What kind of thing that is.

    Raises:
        NotEntitled: The account is not active, or lacks the permission.
    """
    # An account of another kind than Django's own may know no permissions at all.
    has_perm = getattr(person, "has_perm", None)
    if not (person.is_active and has_perm is not None and has_perm(permission)):
        raise NotEntitled(
            f"This account is not active, or lacks the permission {meanings.permission(permission)}.",
            hint="An administrator gives it in the admin, to the account or to one of its groups.",
        ).told(denial(person, ref, kind))


def require_place(person: Account, quorum: Quorum, place: str, ref: str) -> None:
    """
    Make sure that a person's yes can be one of those that a policy asks for.

    Args:
        person: Who.
        quorum: What the policy asks for.
        place: Where that stands, for the message.
        ref: Reference of what it is about, for the event of a refusal.

    Raises:
        NotEntitled: They are in none of its groups.
        ConfigurationError: It names a group that can't do it.
    """
    groups.refuse_unknown(quorum, place)
    if not groups.has_place(person, quorum):
        raise NotEntitled(
            "This account is in none of the groups whose approval is asked for: "
            f"{', '.join(sorted(quorum.groups))}.",
            hint="Ask somebody of these groups.",
        ).told(denial(person, ref))


def denial(person: Account, ref: str, kind: ObjectKind = ObjectKind.APPROVAL) -> Denial:
    """Describe who was refused what, for the audit trail."""
    return Denial(by=person, kind=kind.value, ref=ref, request_ref=ref)


def require_reason(reason: str) -> None:
    """
    Make sure that a decision says why.

    Raises:
        UsageError: It doesn't.
    """
    if not reason.strip():
        raise UsageError("A reason is missing.", hint="Say why in a sentence: --reason TEXT.")


def ask_another() -> str:
    """Return the next move of whoever can't decide about their own plan."""
    return f"Ask somebody else with the permission {meanings.permission(APPROVE)}."


def name_of(key: str) -> str:
    """Return the user name of an account for people to read; a dash where the account is gone."""
    if not key:
        return "-"
    model = get_user_model()
    person = model._default_manager.filter(pk=key).first()
    return "-" if person is None else person.get_username()
