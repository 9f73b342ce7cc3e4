"""Who can open what a command writes: public keys, whoever knows a password, or everybody who can read it."""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from accord.secrets import own_files
from gdpr.envelopes.age import Envelope
from gdpr.errors import ExportRefused


def add_envelope(parser: ArgumentParser) -> None:
    """Add the flags, of which one is given."""
    flags = parser.add_mutually_exclusive_group()
    flags.add_argument(
        "--recipient",
        action="append",
        default=[],
        dest="recipients",
        metavar="AGE_KEY",
        help="Encrypt it for a public key of age (age1...); may be repeated.",
    )
    flags.add_argument(
        "--password-file",
        default="",
        metavar="FILE",
        help="Encrypt it with the password in a file that only this user can read; else it is asked for.",
    )
    flags.add_argument(
        "--plain",
        action="store_true",
        help="Leave it unencrypted: whoever can read the file reads all of it.",
    )


def envelope(options: Mapping[str, Any]) -> Envelope | None:
    """
    Return what to put a file into; None where it is to be left open.

    Args:
        options: Of a command with :func:`add_envelope`, and with `--noinput`.

    Raises:
        ConfigurationError, ExportRefused: As for :meth:`gdpr.envelopes.age.Envelope.require`; or nothing says
            who may open it.
        UsageError: The file of the password can't be relied on.
    """
    if options["plain"]:
        return None
    chosen = Envelope(
        recipients=tuple(options["recipients"]), password="" if options["recipients"] else _password(options)
    )
    chosen.require()
    return chosen


def _password(options: Mapping[str, Any]) -> str:
    if options["password_file"]:
        return own_files.read(Path(options["password_file"])).decode("utf-8", "replace")
    if not (options["interactive"] and sys.stdin.isatty()):
        raise ExportRefused(
            "Nothing says who may open the export.",
            hint="Name a public key with --recipient, or a file with a password with --password-file; "
            "--plain leaves it open.",
        )
    typed = getpass.getpass("Password of the file: ", stream=sys.stderr)
    if getpass.getpass("The same again: ", stream=sys.stderr) != typed:
        raise ExportRefused("The two passwords differ.", hint="Type the same one twice.")
    return typed
