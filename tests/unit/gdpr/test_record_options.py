"""What `gdpr_hold`, `gdpr_restrict` and `gdpr_rights` ask for, verb by verb."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

import pytest

from accord.errors import UsageError
from gdpr.cli import hold, restrict, rights
from gdpr.cli.measures import RecordOptions

Read = Callable[[dict[str, Any]], RecordOptions]
COMMANDS: dict[str, tuple[Callable[[ArgumentParser], None], Read]] = {
    "gdpr_hold": (hold.add_hold_arguments, hold.HoldOptions.read),
    "gdpr_restrict": (restrict.add_restrict_arguments, restrict.RestrictOptions.read),
    "gdpr_rights": (rights.add_rights_arguments, rights.RightsOptions.read),
}


def asked(command: str, *arguments: str) -> RecordOptions:
    """Read a command line."""
    add, read = COMMANDS[command]
    parser = ArgumentParser()
    add(parser)
    return read(vars(parser.parse_args(arguments)))


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ("gdpr_hold place", "place needs a person."),
        ("gdpr_hold release", "release needs a hold."),
        ("gdpr_hold place 7", "place needs --reason, one of: 17(3)"),
        ("gdpr_restrict add", "add needs a person."),
        ("gdpr_restrict lift", "lift needs a restriction."),
        ("gdpr_restrict add 7", "add needs --reason, one of: 18(1)"),
        ("gdpr_restrict lift abc", "has to be told"),
        ("gdpr_rights file --note x", "file needs a person."),
        ("gdpr_rights file 7 --note x", "file needs --kind."),
        ("gdpr_rights take", "take needs a request."),
        ("gdpr_rights refuse abc --note x", "refuse needs --ground."),
    ],
)
def test_what_a_verb_needs_is_named(line: str, missing: str) -> None:
    """Before anybody is looked up, and with the command whose help says more."""
    with pytest.raises(UsageError) as refused:
        asked(*line.split())

    assert missing in refused.value.message
    assert line.split(maxsplit=1)[0] in refused.value.hint or "--told" in refused.value.hint


@pytest.mark.parametrize("command", COMMANDS)
def test_list_needs_nothing(command: str) -> None:
    """Nobody has to be named to see what is open."""
    assert asked(command, "list").verb == "list"


def test_right_and_kind_of_person_are_two_things() -> None:
    """`--kind` is the right where `--of-kind` is the kind of person; elsewhere `--kind` is that."""
    right = asked("gdpr_rights", "file", "7", "--kind", "correction", "--of-kind", "x.Y", "--note", "n")
    held = asked("gdpr_hold", "list", "--kind", "x.Y")

    assert isinstance(right, rights.RightsOptions)
    assert (right.kind, right.of_kind, held.of_kind) == ("correction", "x.Y", "x.Y")
