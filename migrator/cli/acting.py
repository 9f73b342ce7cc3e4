"""Who acts with a command that needs nobody to: the account that is named, or whoever is signed in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accord.errors import UsageError

if TYPE_CHECKING:
    from accord.acting import Account
    from accord.proof import Credentials


def deciding(options: Mapping[str, Any]) -> Account:
    """
    Find the account that decides, and have it proved that it is this one.

    Args:
        options: Of the command: `person`, `token_file` and `interactive`.

    Raises:
        UsageError: There is no such account.
        NotAllowed: It isn't proved that it is this account, or a program would decide.
    """
    return _credentials(options).account(deciding=True)


def acting(options: Mapping[str, Any]) -> Account | None:
    """
    Find the account that acts; where nobody is named, whoever is signed in, and else nobody.

    Args:
        options: Of the command: `person`, `interactive`, and `token_file` where it takes one.

    Raises:
        UsageError: There is no account of the name that is given.
        NotAllowed: It isn't proved that it is this account.
    """
    credentials = _credentials(options)
    try:
        return credentials.account()
    except UsageError:
        if credentials.is_given:
            raise
        return None


def _credentials(options: Mapping[str, Any]) -> Credentials:
    # Loaded here: it brings models, which a project without the app “accord” hasn't got.
    from accord.proof import Credentials

    file = options.get("token_file")
    return Credentials(
        username=options["person"],
        token_file=Path(file) if file else None,
        interactive=options["interactive"],
    )
