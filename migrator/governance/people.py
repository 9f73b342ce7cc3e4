"""Who acts: accounts of the project, by the name that a command was given."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser

from accord import audit, db
from migrator.errors import NotEntitled

REQUEST = "migrator.add_planapproval"
APPROVE = "migrator.approve_planapproval"
ATTEST = "migrator.add_attestation"

Person = AbstractBaseUser


def named(username: str) -> Person:
    """
    Find an account. Its name stays out of every message: it may be a person's.

    Raises:
        NotEntitled: There is none of this name.
    """
    model = get_user_model()
    try:
        person: Person = model._default_manager.get_by_natural_key(username)
    except (model.DoesNotExist, *db.ERRORS) as exc:
        raise NotEntitled(
            "No account has the user name that --as gives.",
            hint="Correct the name, or make the account: manage.py createsuperuser.",
        ) from exc
    return person


def require(person: Person, permission: str) -> None:
    """
    Make sure that a person may do something.

    Raises:
        NotEntitled: The account is not active, or lacks the permission.
    """
    # An account of another kind than Django's own may know no permissions at all.
    has_perm = getattr(person, "has_perm", None)
    if not (person.is_active and has_perm is not None and has_perm(permission)):
        raise NotEntitled(
            f"This account is not active, or lacks the permission {permission}.",
            hint="An administrator gives it in the admin, to the account or to one of its groups.",
        )


def actor(person: Person | None) -> audit.Actor:
    """Give the random reference that stands for a person in the audit trail."""
    return audit.SYSTEM if person is None else audit.person(person.pk, kind=person._meta.label_lower)


def name_of(key: str) -> str:
    """Give the user name of an account for people to read; a dash where the account is gone."""
    if not key:
        return "-"
    model = get_user_model()
    person = model._default_manager.filter(pk=key).first()
    return "-" if person is None else person.get_username()
