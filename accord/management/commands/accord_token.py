"""`manage.py accord_token`: make, list and end the tokens by which programs act as accounts."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any, ClassVar

from accord.cli.tokens import TokenOptions, add_token_arguments, carry_out
from accord.command import AnsweringCommand
from accord.errors import ExitCode


class Command(AnsweringCommand):
    """Make, list and end tokens."""

    help = (
        "Makes a token by which a program acts as an account over HTTP, shows it once, and ends it. Only "
        "its digest is kept; it ends by itself after some days, and when the password changes."
    )
    examples: ClassVar[Mapping[str, str]] = {
        "create --label CI --days 30": "a token of your own, on standard output",
        "create --service --account USERNAME --output FILE": "one for a program, which decides nothing",
        "list": "your tokens, without what signs in",
        "revoke TOKEN": "end one",
    }

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        add_token_arguments(parser)

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Do what is asked for."""
        asked = TokenOptions.read(options)
        return self.say(carry_out(asked), as_json=asked.as_json)
