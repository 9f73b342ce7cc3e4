"""What `gdpr_letter` is asked for, and what it answers."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from accord import conf
from accord.cli.answer import Answer
from accord.cli.arguments import add_acting, add_format, add_noinput
from accord.errors import UsageError
from accord.proof import Credentials
from gdpr import letters
from gdpr.cli import whom
from gdpr.letters import LetterKind


@dataclass(frozen=True, kw_only=True)
class LetterOptions:
    """
    What a call asks for.

    Attributes:
        reference: Of the request or restriction, or its beginning.
        kind: Which letter.
        language: In which language; the project's unless given.
        out: File that it is written to; None for standard output.
        to: Address that it is sent to; empty for no mail.
        who: What is said of who acts.
        as_json: Whether the answer is a JSON document.
    """

    reference: str
    kind: LetterKind
    language: str
    out: Path | None
    to: str = field(repr=False)
    who: Credentials
    as_json: bool

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> LetterOptions:
        """
        Read what the command line gave.

        Raises:
            UsageError: The project doesn't know the language, or the file is there already.
        """
        known = conf.languages()
        language = options["language"] or known[0]
        if language not in known:
            raise UsageError(
                f"The project has no language “{language}”.", hint=f"LANGUAGES has: {', '.join(known)}."
            )
        out = Path(options["out"]) if options["out"] else None
        if out is not None and out.exists():
            raise UsageError(f"{out.name} is there already.", hint="Name another file.")
        return cls(
            reference=options["reference"],
            kind=LetterKind(options["kind"]),
            language=language,
            out=out,
            to=whom.key(options["to"]),
            who=Credentials.read(options),
            as_json=options["format"] == "json",
        )


def add_letter_arguments(parser: ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument("reference", metavar="REQUEST", help="Reference of the request, or of a restriction.")
    parser.add_argument("kind", choices=LetterKind.values, help="Which letter.")
    parser.add_argument("--language", default="", help="In which language; the project's unless given.")
    parser.add_argument("--out", default="", metavar="FILE", help="Write it to a new file.")
    parser.add_argument(
        "--to", default="", metavar="ADDRESS", help="Send it by mail, too; - reads the address from input."
    )
    add_acting(parser)
    add_noinput(parser)
    add_format(parser)


def carry_out(asked: LetterOptions) -> Answer:
    """
    Write the letter, to where it is asked for, and send it if that is asked for.

    Raises:
        AccordError: There is nothing to tell, or the mail wasn't taken.
    """
    person = asked.who.account()
    letter = letters.write(asked.reference, asked.kind, language=asked.language, by=person)
    if asked.out is not None:
        asked.out.write_text(letter.text, encoding="utf-8")
    if asked.to:
        letters.send(letter, asked.to, by=person)
    document = {
        "schema": "accord.letter/1",
        "reference": letter.reference,
        "kind": letter.kind.value,
        "language": asked.language,
        "subject": letter.subject,
        "text": letter.text,
        "sent": bool(asked.to),
    }
    shown = [] if asked.out else [letter.subject, "", *letter.text.splitlines()]
    return Answer(document=document, lines=[*shown, *(["Sent."] if asked.to else [])])
