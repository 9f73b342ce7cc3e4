"""The page of the commands about people says of each option what `--help` says."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "privacy-commands.md"
COMMANDS = sorted(name for name, app in get_commands().items() if app == "gdpr")
_DJANGOS = {action.dest for action in BaseCommand().create_parser("manage.py", "any")._actions}


def rows(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Yield a line of a table for each option that isn't Django's own."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, sub in action.choices.items():
                yield from (f"| `{name}` {row[2:]}" for row in rows(sub))
        elif action.dest not in _DJANGOS and action.help != argparse.SUPPRESS:
            yield f"| `{_written(action)}` | {' '.join(str(action.help or '').split())} |"


def _written(action: argparse.Action) -> str:
    takes = "" if action.option_strings and action.nargs == 0 else str(action.metavar or _values(action))
    return " ".join(filter(None, [*action.option_strings[:1], takes])).replace("|", "\\|")


def _values(action: argparse.Action) -> str:
    return "|".join(map(str, action.choices)) if action.choices else action.dest.upper()


@pytest.mark.parametrize("name", COMMANDS)
def test_page_has_the_command_with_each_of_its_options(name: str) -> None:
    """A new option, or other words for one, are to be copied; what fails says which lines."""
    parser = load_command_class("gdpr", name).create_parser("manage.py", name)
    _, found, section = PAGE.read_text(encoding="utf-8").partition(f"## {name}\n")
    assert found
    section = section.partition("\n## ")[0]

    assert [row for row in rows(parser) if row not in section] == []
    listed = [line for line in section.splitlines() if line.startswith("| `")]
    assert sorted(listed) == sorted(rows(parser))
