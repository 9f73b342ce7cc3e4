"""The reference of commands against the commands: each has a section, and each of its flags stands there."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
OURS = {name: app for name, app in get_commands().items() if app in ("accord", "migrator")}
DJANGOS = {action.dest for action in BaseCommand().create_parser("manage.py", "any")._actions}


def flags(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Give the flags that somebody may write, by their first spelling."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                yield from flags(sub)
        elif action.dest not in DJANGOS and action.help != argparse.SUPPRESS:
            yield from (flag for flag in action.option_strings[:1] if flag.startswith("--"))


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_flag_stands_in_the_reference(name: str) -> None:
    """A new flag is described where people look it up."""
    page = "embedded.md" if name == "embedded" else "commands.md"
    text = (REFERENCE / page).read_text(encoding="utf-8")
    parser = load_command_class(str(OURS[name]), name).create_parser("manage.py", name)

    assert name in text
    assert {flag for flag in flags(parser) if not any(f"{before}{flag}" in text for before in "`[ ")} == set()
