"""Who acts, what they may do, and when a second person is needed."""

from __future__ import annotations

from django.contrib.auth.models import PermissionsMixin

from accord import meanings
from accord.acting import Account
from accord.errors import NotAllowed
from gdpr.erasure import encryption
from gdpr.errors import OwnRequest
from gdpr.models import ErasureRequest

FILE = "gdpr.add_erasurerequest"
APPROVE = "gdpr.approve_erasurerequest"
EXECUTE = "gdpr.execute_erasurerequest"
PLACE_HOLD = "gdpr.add_legalhold"
RELEASE_HOLD = "gdpr.change_legalhold"


def require(person: Account, *permissions: str) -> None:
    """
    Make sure that a person may do something.

    Args:
        person: Who.
        permissions: Of which one is enough.

    Raises:
        NotAllowed: The account is not active, or lacks the permission.
    """
    known = person if person.is_active and isinstance(person, PermissionsMixin) else None
    if known is None or not any(known.has_perm(permission) for permission in permissions):
        raise NotAllowed(
            f"This account lacks the permission {meanings.permissions(permissions)}.",
            hint="An administrator gives it in the admin, to the account or to one of its groups.",
        )


def require_another(person: Account, request: ErasureRequest) -> None:
    """
    Make sure that whoever decides is not who asked. Superusers are no exception.

    Raises:
        OwnRequest: The person filed the request, made its plan, is who it is about, or it is
            unknown who filed it.
    """
    if request.filed_by_id is None:
        raise OwnRequest(
            f"Nobody knows who filed request {request.reference}; it can't be approved.",
            hint="Cancel it and file it anew.",
        )
    if person.pk in (request.filed_by_id, request.planned_by_id):
        raise OwnRequest(
            f"You filed or planned request {request.reference}; another person has to decide.",
            hint=f"Ask somebody else with the permission {meanings.permission(APPROVE)}.",
        )
    if encryption.tag_of_key(person._meta.label, person.pk) == request.subject_tag:
        raise OwnRequest(
            f"Request {request.reference} is about yourself; another person has to decide.",
            hint=f"Ask somebody else with the permission {meanings.permission(APPROVE)}.",
        )
