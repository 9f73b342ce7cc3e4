"""What `accord_token` does, one function a verb, and what it answers."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accord import tokens
from accord.acting import Account, named
from accord.cli.answer import Answer
from accord.cli.arguments import add_acting, add_format, add_noinput
from accord.display import day
from accord.errors import UsageError
from accord.models import AccessToken
from accord.proof import Credentials

_OWNER_ONLY = 0o600


@dataclass(frozen=True, kw_only=True)
class TokenOptions:
    """
    What a call asks for.

    Attributes:
        verb: What to do.
        what: The beginning of a token's reference.
        account: Whose token it is; empty for that of who acts.
        label: What a new one is for.
        days: How long it counts; 0 for as long as the settings allow.
        service: Whether a program alone has it.
        output: File that a new one is written to; None for standard output.
        who: What is said of who acts.
        as_json: Whether the answer is a JSON document.
    """

    verb: str
    what: str
    account: str
    label: str
    days: float
    service: bool
    output: Path | None
    who: Credentials
    as_json: bool

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> TokenOptions:
        """
        Read what the command line gave.

        Raises:
            UsageError: What the verb needs is missing.
        """
        names = ("verb", "what", "account", "label", "days", "service")
        output = Path(options["output"]) if options["output"] else None
        asked = cls(
            **{name: options[name] for name in names},
            who=Credentials.read(options),
            output=output,
            as_json=options["format"] == "json",
        )
        if asked.verb == "revoke" and not asked.what:
            raise UsageError("Name the token to end.", hint="accord_token list shows them.")
        return asked


def add_token_arguments(parser: ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument("verb", choices=tuple(VERBS), help="What to do.")
    parser.add_argument(
        "what", nargs="?", default="", help="revoke: the token, by the beginning of its name."
    )
    parser.add_argument(
        "--account",
        default="",
        metavar="USERNAME",
        help="Whose token it is; that of who acts unless given.",
    )
    parser.add_argument("--label", default="", metavar="TEXT", help="create: what it is for.")
    parser.add_argument(
        "--days", type=float, default=0, metavar="N", help="create: for how long it counts (TOKEN_DAYS)."
    )
    parser.add_argument(
        "--service",
        action="store_true",
        help="create: a program alone has it; it files and carries out, and decides nothing.",
    )
    parser.add_argument(
        "--output", default="", metavar="FILE", help="create: write it to a new file, for its owner alone."
    )
    add_acting(parser)
    add_noinput(parser)
    add_format(parser)


def carry_out(asked: TokenOptions) -> Answer:
    """
    Do what is asked for.

    Raises:
        AccordError: It can't be done; nothing was changed.
    """
    # A token is a way to decide: it is made by who has proved who they are.
    person = asked.who.account(deciding=asked.verb == "create")
    return VERBS[asked.verb](asked, person)


def _create(asked: TokenOptions, person: Account) -> Answer:
    account = _whose(asked, person)
    tokens.require_issuable(account, person, service=asked.service)
    if asked.output is not None and asked.output.exists():
        raise UsageError(f"{asked.output} is there already.", hint="Name a new file with --output.")
    made = tokens.issue(account, by=person, label=asked.label, days=asked.days, service=asked.service)
    said = "" if asked.output is not None else made.text
    if asked.output is not None:
        _write(made, asked.output, person)
    document = {**_document(made.kept), "schema": "accord.token/1", "token": said or None}
    return Answer(document=document, lines=[said or str(asked.output)])


def _write(made: tokens.Issued, path: Path, person: Account) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{made.text}\n")
    except OSError as exc:
        # Nobody has it, so nobody may find it one day.
        tokens.revoke(made.kept, by=person)
        raise UsageError(
            f"{path} can't be written: {exc.strerror}.", hint="Name a new file with --output."
        ) from exc


def _list(asked: TokenOptions, person: Account) -> Answer:
    account = _whose(asked, person)
    tokens.require_visible(account, person)
    return _listing(tokens.of(account))


def _revoke(asked: TokenOptions, person: Account) -> Answer:
    found = list(tokens.all_of_them().filter(reference__startswith=asked.what.lower())[:2])
    if len(found) != 1:
        fact = "More than one token begins" if found else "No token begins"
        raise UsageError(f"{fact} so.", hint="accord_token list shows yours.")
    tokens.revoke(found[0], by=person)
    return Answer(
        document={**_document(found[0]), "schema": "accord.token/1"}, lines=[f"{found[0].short} ended."]
    )


def _whose(asked: TokenOptions, person: Account) -> Account:
    return named(asked.account, "Correct the name behind --account.") if asked.account else person


def _listing(found: Iterable[AccessToken]) -> Answer:
    rows = list(found)
    return Answer(
        document={"schema": "accord.tokens/1", "tokens": [_document(one) for one in rows]},
        lines=[_line(one) for one in rows] or ["There are no tokens."],
    )


def _line(one: AccessToken) -> str:
    kind = "program" if one.service else "account"
    return f"{one.short}  {kind}  made {day(one.made_at)}, until {day(one.expires_at)}  {one.label}".rstrip()


def _document(one: AccessToken) -> dict[str, Any]:
    return {
        "reference": one.reference,
        "service": one.service,
        "label": one.label,
        "made_at": one.made_at.isoformat(timespec="seconds"),
        "expires_at": one.expires_at.isoformat(timespec="seconds"),
    }


VERBS: Mapping[str, Callable[[TokenOptions, Account], Answer]] = {
    "create": _create,
    "list": _list,
    "revoke": _revoke,
}
