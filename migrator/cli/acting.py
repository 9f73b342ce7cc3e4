"""Who acts with a command that needs nobody to: the account that is named, or whoever is signed in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from accord.errors import UsageError

if TYPE_CHECKING:
    from accord.acting import Account


def acting(options: Mapping[str, Any]) -> Account | None:
    """
    Find the account that acts; where nobody is named, whoever is signed in, and else nobody.

    Args:
        options: Of the command: `person` and `interactive`.

    Raises:
        UsageError: There is no account of the name that is given.
        NotAllowed: It isn't proved that it is this account.
    """
    # Loaded here: it brings models, which a project without the app “accord” hasn't got.
    from accord.proof import Credentials

    try:
        return Credentials(username=options["person"], interactive=options["interactive"]).account()
    except UsageError:
        if options["person"]:
            raise
        return None
