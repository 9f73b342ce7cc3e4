"""Re-authentication: whoever is signed in types the password again before something that counts."""

from __future__ import annotations

from django.contrib.auth import authenticate
from django.http import HttpRequest

from accord.acting import Account
from accord.audit import denials
from accord.denied import Denial
from accord.errors import NotAllowed


def is_proved(request: HttpRequest, person: Account, password: str, kind: str) -> bool:
    """
    Return whether a password is that of the account that is signed in; a wrong one is put on record.

    Args:
        request: The request.
        person: The account.
        password: What was typed.
        kind: Of the object that it is about, a word of :class:`accord.audit.events.ObjectKind`.
    """
    found = authenticate(request, username=person.get_username(), password=password) if password else None
    if found is not None and found.pk == person.pk:
        return True
    wrong = NotAllowed("The password is missing or wrong.", hint="Type that of your own account.")
    denials.note(wrong, Denial(by=person, kind=kind))
    return False
