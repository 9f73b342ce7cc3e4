"""Who acts, what they may do, and when a second person is needed."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from django.contrib.auth.models import PermissionsMixin

from accord import meanings, second_person
from accord.acting import Account
from accord.approvals.deciding import Hindrance, hindrance
from accord.approvals.decision import Deciding
from accord.audit.events import EventKind, ObjectKind
from accord.denied import Denial
from accord.errors import NotAllowed
from accord.wording import say
from gdpr.erasure import encryption, own_accounts
from gdpr.errors import KeysDestroyed, OwnRequest
from gdpr.models import ErasureRequest, LegalHold

FILE = "gdpr.add_erasurerequest"
APPROVE = "gdpr.approve_erasurerequest"
EXECUTE = "gdpr.execute_erasurerequest"
EXPORT = "gdpr.export_person"
PLACE_HOLD = "gdpr.add_legalhold"
RELEASE_HOLD = "gdpr.change_legalhold"
RESTRICT = "gdpr.add_restriction"
LIFT = "gdpr.change_restriction"
FILED = second_person.Asked(event=EventKind.ERASURE_RECEIVED, permission=APPROVE)
ERASURES = Deciding(asked=FILED, granted=EventKind.ERASURE_APPROVED)
HELD = second_person.Asked(event=EventKind.HOLD_PLACED, permission=RELEASE_HOLD)


def require(
    person: Account, *permissions: str, about: ErasureRequest | LegalHold | None = None, kind: str = ""
) -> None:
    """
    Make sure that a person may do something.

    Args:
        person: Who.
        permissions: Of which one is enough.
        about: What the person would do it to, for the event of a refusal.
        kind: What kind of thing that is, where there is none yet.

    Raises:
        NotAllowed: The account is not active, or lacks the permission.
    """
    known = person if person.is_active and isinstance(person, PermissionsMixin) else None
    if known is None or not any(known.has_perm(permission) for permission in permissions):
        raise NotAllowed(
            say(
                "This account lacks the permission {permissions}.",
                permissions=meanings.permissions(permissions),
            ),
            hint="An administrator gives it in the admin, to the account or to one of its groups.",
        ).told(_denial(person, about, kind))


def require_another(person: Account, request: ErasureRequest) -> None:
    """
    Make sure that whoever decides is a second person, and not who asked. Superusers are no exception.

    Raises:
        OwnRequest: The person filed the request, made its plan, is who it is about, was not known when it
            was filed, or it is unknown who filed it.
        StoreUnavailable: It can't be told whether it is about them.
    """
    if request.filed_by_id is None:
        unknown = say(
            "Nobody knows who filed request {reference}; it can't be approved.", reference=request.reference
        )
        raise own(unknown, "Cancel it and file it anew.", person, request)
    if fact := _no_second_person(person, request):
        raise own(
            fact,
            say(
                "Ask somebody else with the permission {permission}.", permission=meanings.permission(APPROVE)
            ),
            person,
            request,
        )


def _no_second_person(person: Account, request: ErasureRequest) -> str:
    found = hindrance(person, request.reference, askers(request), ERASURES)
    if found is Hindrance.ASKED:
        return say(
            "You filed or planned request {reference}; another person has to decide.",
            reference=request.reference,
        )
    if is_about(person, request):
        return say(
            "Request {reference} is about yourself; another person has to decide.",
            reference=request.reference,
        )
    if found is Hindrance.UNKNOWN:
        return say(
            "This account was not known here when request {reference} was filed.", reference=request.reference
        )
    return ""


def no_member(person: Account, request: ErasureRequest, groups: Iterable[str]) -> NotAllowed:
    """Return the error of a person who is in none of the groups whose approval is asked for."""
    return NotAllowed(
        say(
            "This account is in none of the groups whose approval is asked for: {groups}.",
            groups=", ".join(sorted(groups)),
        ),
        hint="Ask somebody of these groups.",
    ).told(_denial(person, request, ""))


def askers(request: ErasureRequest) -> frozenset[str]:
    """Return the keys of the accounts that filed a request and made its plan."""
    return frozenset(str(key) for key in (request.filed_by_id, request.planned_by_id) if key is not None)


def is_about(person: Account, request: ErasureRequest) -> bool:
    """
    Return whether a request is about whoever has an account.

    Where its keys are gone only the tag says so. Nothing is erased then; with the keys it is asked again.
    """
    with suppress(KeysDestroyed):
        return own_accounts.is_theirs(person, encryption.keys_of(request))
    return encryption.tag_of_key(person._meta.label, person.pk) == request.subject_tag


def own(fact: str, hint: str, person: Account, about: ErasureRequest | LegalHold) -> OwnRequest:
    """Return the error of a person who would decide about what is their own."""
    return OwnRequest(fact, hint=hint).told(_denial(person, about, ""))


def _denial(person: Account, about: ErasureRequest | LegalHold | None, kind: str) -> Denial:
    if about is None:
        return Denial(by=person, kind=kind or ObjectKind.ERASURE_REQUEST.value)
    if isinstance(about, LegalHold):
        return Denial(by=person, kind=ObjectKind.HOLD.value, ref=about.reference)
    kind = ObjectKind.ERASURE_REQUEST.value
    return Denial(by=person, kind=kind, ref=about.reference, request_ref=about.reference)
