"""Proof of who sits at the screen, in the environments that ask for it at the command line, too."""

from __future__ import annotations

from django.contrib.auth import authenticate
from django.http import HttpRequest

from accord import conf
from accord.admin_parts import person_of
from accord.audit import denials
from accord.denied import Denial
from accord.errors import NotAllowed
from accord.proof_policy import policy


def is_asked_for() -> bool:
    """Return whether the policy of this environment asks for proof before what counts."""
    settings = conf.load()
    return policy(settings.policy).asks(settings.environment)


def is_proved(request: HttpRequest, password: str, kind: str) -> bool:
    """
    Return whether a password is that of the account that is signed in; a wrong one is put on record.

    Args:
        request: The request.
        password: What was typed.
        kind: Of the object that it is about, a word of :class:`accord.audit.events.ObjectKind`.
    """
    person = person_of(request)
    found = authenticate(request, username=person.get_username(), password=password) if password else None
    if found is not None and found.pk == person.pk:
        return True
    wrong = NotAllowed("The password is missing or wrong.", hint="Type that of your own account.")
    denials.note(wrong, Denial(by=person, kind=kind))
    return False
