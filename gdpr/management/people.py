"""
Who acts on the command line.

Whoever is signed in to the machine under the name of an account acts as that account. Acting
as another one takes its password, so that one person can't be two: without this, four eyes would
be two eyes and a flag.
"""

from __future__ import annotations

import getpass
import os
import sys

from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.base_user import AbstractBaseUser

from accord.errors import NotAllowed, UsageError

PASSWORD_VARIABLE = "ACCORD_PASSWORD"  # noqa: S105 - the name of a variable, not its value


def acting(username: str, *, interactive: bool) -> AbstractBaseUser:
    """
    Find the account that acts.

    Args:
        username: Name of the account; that of whoever is signed in to the machine unless given.
        interactive: Whether a password may be asked for.

    Raises:
        UsageError: There is no such account.
        NotAllowed: The account is not active, or its password was not given.
    """
    signed_in = _signed_in()
    name = username or signed_in
    account = get_user_model()._default_manager.filter(**{get_user_model().USERNAME_FIELD: name}).first()
    if account is None:
        raise UsageError(
            f"There is no account “{name}”.",
            hint="Name the account that acts with --as USERNAME.",
        )
    if name != signed_in and _authenticated(name, interactive=interactive) is None:
        raise NotAllowed(
            f"The password of “{name}” is missing or wrong.",
            hint=f"Type it when asked, set {PASSWORD_VARIABLE}, or act in the admin.",
        )
    return account


def _authenticated(name: str, *, interactive: bool) -> AbstractBaseUser | None:
    password = os.environ.get(PASSWORD_VARIABLE, "")
    if not password and interactive and sys.stdin.isatty():
        password = getpass.getpass(f"Password of {name}: ", stream=sys.stderr)
    return authenticate(None, username=name, password=password)


def _signed_in() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
