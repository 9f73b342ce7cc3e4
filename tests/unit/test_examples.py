"""What `--help` shows as examples can be typed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import pytest
from django.core.management import get_commands, load_command_class

from accord.command import PipedCommand

SUITE = ("accord", "gdpr", "migrator", "mongo_migrations", "searchindex")


def ours() -> Iterator[PipedCommand]:
    """Yield the commands of the suite."""
    for name, app in sorted(get_commands().items()):
        if app in SUITE:
            command = load_command_class(app, name)
            assert isinstance(command, PipedCommand)
            yield command


@pytest.mark.parametrize("command", list(ours()), ids=lambda made: made.__module__.rpartition(".")[2])
def test_each_example_is_taken_by_the_command(command: PipedCommand) -> None:
    """Every command shows one at least, below its options, and takes each as it stands there."""
    name = type(command).__module__.rpartition(".")[2]
    parser = command.create_parser("manage.py", name)
    assert command.examples

    for words, does in command.examples.items():
        assert f"manage.py {name} {words}".rstrip() in parser.format_help()
        assert does in parser.format_help()
        parser.parse_args(shlex.split(words))  # raises CommandError where the words don't fit
