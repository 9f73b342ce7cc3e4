"""
Proving who acts on the command line: by the password, or by a token in a file.

Whoever is signed in to the machine under the name of an account acts as that account. Where the
policy asks for proof (production and staging unless it says otherwise), they prove it all the same
before they decide: a terminal that was left open, or a job of somebody else under the same user,
decides nothing. There, a password in a variable proves nothing either, because whatever the shell
starts can read it.
"""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib.auth import authenticate

from accord import conf, proof_policy, tokens
from accord.acting import Account, named, signed_in
from accord.audit.events import ObjectKind
from accord.denied import Denial
from accord.errors import NotAllowed, StoreError, UsageError
from accord.secrets import own_files

PASSWORD_VARIABLE = "ACCORD_PASSWORD"  # noqa: S105 - the name of a variable, not its value


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """
    What a call says of who acts.

    Attributes:
        username: Name of the account; that of the user who is signed in to the machine, or of the token.
        token_file: File with a token; None where none is given.
        interactive: Whether a password may be asked for at the terminal.
    """

    username: str = ""
    token_file: Path | None = None
    interactive: bool = False

    @property
    def is_given(self) -> bool:
        """Whether anything is said; else it is whoever is signed in."""
        return bool(self.username or self.token_file)

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> Credentials:
        """Read what :func:`accord.cli.arguments.add_acting` adds to a command."""
        file = options.get("token_file")
        return cls(
            username=options["as_user"],
            token_file=Path(file) if file else None,
            interactive=options.get("interactive", True),
        )

    def account(self, *, deciding: bool = False) -> Account:
        """
        Find the account that acts.

        Args:
            deciding: Whether it decides something that a program never may.

        Raises:
            UsageError: There is no such account, or the file can't be relied on.
            StoreUnavailable: The database of the accounts can't be reached.
            StoreError: It can be, and has no table of accounts that can be read.
            NotAllowed: It isn't proved that it is this account, or a program would decide.
        """
        if self.token_file is not None:
            return self._by_token(self.token_file, deciding=deciding)
        account = named(self.username or signed_in())
        proved = account.get_username() == signed_in() and not (deciding and _asked_for())
        if not proved and self._authenticated(account.get_username()) is None:
            raise self._unproved(account)
        return account

    def _by_token(self, file: Path, *, deciding: bool) -> Account:
        found = tokens.signed_in_by(own_files.read(file).decode("latin-1"))
        if found is None or self.username not in ("", found[0].get_username()):
            raise NotAllowed(
                f"The token in {file} signs nobody in, or another account than --as names.",
                hint="Make a new one: accord_token create --output FILE.",
            ).told(_taken_for(None if found is None else found[0]))
        account, kept = found
        if deciding and kept.service:
            raise NotAllowed(
                f"The token in {file} is of a program alone; it files and carries out, and decides nothing.",
                hint="A person decides, by their password, by a token of their own, or in the admin.",
            ).told(Denial(by=account, kind=ObjectKind.TOKEN.value, ref=kept.reference))
        return account

    def _authenticated(self, name: str) -> Account | None:
        password = os.environ.get(PASSWORD_VARIABLE, "") if _takes_variable() else ""
        if not password and self.interactive and sys.stdin.isatty():
            password = getpass.getpass(f"Password of {name}: ", stream=sys.stderr)
        return authenticate(None, username=name, password=password) if password else None

    @staticmethod
    def _unproved(account: Account) -> NotAllowed:
        variable = f"set {PASSWORD_VARIABLE}, " if _takes_variable() else ""
        return NotAllowed(
            f"The password of “{account.get_username()}” is missing or wrong.",
            hint=f"Type it when asked, {variable}name a token with --token-file, or act in the admin.",
        ).told(_taken_for(account))


def _asked_for() -> bool:
    settings = conf.load()
    return proof_policy.load(settings).asks(settings.environment)


def _takes_variable() -> bool:
    settings = conf.load()
    return proof_policy.load(settings).takes_variable(settings.environment)


def _taken_for(account: Account | None) -> Denial:
    """Describe that whoever is signed in to the machine, known here or not, was not let act as an account."""
    who = None
    with suppress(StoreError, UsageError):
        who = named(signed_in())
    return Denial(by=who, kind=ObjectKind.ACCOUNT.value, account=account)
