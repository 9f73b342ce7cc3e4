"""Every command that a message, a hint or a finding names is one that can be typed as it stands there."""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand, CommandError

ROOT = Path(__file__).parents[2]
PACKAGES = ("accord", "gdpr", "migrator", "mongo_migrations", "searchindex")
OURS = (
    "accord_environment", "accord_token", "accord_uninstall", "audit_verify", "backfill_kept", "batch_jobs",
    "bulk_copy", "bulk_export", "bulk_import", "embedded", "gdpr_consent", "gdpr_datamap", "gdpr_drill",
    "gdpr_erase", "gdpr_export", "gdpr_hold", "gdpr_letter", "gdpr_process", "gdpr_replay", "gdpr_restrict",
    "gdpr_retention", "gdpr_rights", "health_check", "lint_migrations", "migrate_all", "migrate_mongo",
    "migrate_search", "migration_approval", "partition", "showmigrations_all",
)  # fmt: skip
NAMED = re.compile(rf"(?<![\w./])({'|'.join(OURS)})((?: +[^\s,;:()“”]+(?::[^\s,;()“”]+)*)*)")
FILLED = "x"
"""Stands for what a message fills in."""


def texts(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the texts of a module with their lines; docstrings and comments are no messages."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child.lineno, child.value
        elif isinstance(child, ast.JoinedStr):
            yield (
                child.lineno,
                "".join(
                    str(part.value) if isinstance(part, ast.Constant) else FILLED for part in child.values
                ),
            )
        else:
            yield from texts(child)


def named() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield what messages name: place, command, and the words behind it that belong to the command."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" in path.relative_to(ROOT / package).parts[:-1]:
                continue
            for line, text in texts(ast.parse(path.read_text(encoding="utf-8"))):
                for found in NAMED.finditer(text):
                    words = typed(found[1], found[2].split())
                    yield f"{path.relative_to(ROOT)}:{line}", found[1], words


def typed(command: str, words: list[str]) -> tuple[str, ...]:
    """Keep of the words behind a command's name those that are typed, and not those of the sentence."""
    taken: list[str] = []
    parser = parser_of(command)
    for number, raw in enumerate(words):
        word = raw.rstrip(".…")
        verb = number == 0 and word in verbs_of(parser)
        value = bool(taken) and takes_value(parser, taken[-1])
        if not (verb or value or word.startswith("--") or is_placeholder(word)):
            break
        taken.append(word)
        if word != raw:
            break
    return tuple(taken)


def is_placeholder(word: str) -> bool:
    return word.isupper() or word == FILLED or word.startswith("[")


@cache
def parser_of(command: str) -> argparse.ArgumentParser:
    made = load_command_class(get_commands()[command], command)
    assert isinstance(made, BaseCommand)
    return made.create_parser("manage.py", command)


def verbs_of(parser: argparse.ArgumentParser) -> frozenset[str]:
    """Return the subcommands of a command, or the words that its first argument may be."""
    first = (one for one in parser._actions if not one.option_strings and one.choices)
    return frozenset(name for action in first for name in action.choices or ())


def takes_value(parser: argparse.ArgumentParser, option: str) -> bool:
    """Check whether an option of a command, or of one of its subcommands, has a value."""
    parsers = [parser]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            parsers.extend(action.choices.values())
    actions = (one._option_string_actions.get(option) for one in parsers)
    return any(action is not None and action.nargs != 0 for action in actions)


def filled(command: str, words: tuple[str, ...]) -> list[str]:
    """Put something into the gaps that a person fills: a choice where there are choices, else a word."""
    parser, said = parser_of(command), list[str]()
    for word in words:
        gap = word.isupper() or word == FILLED or word.startswith(("[", "{"))
        said.append(filling(parser, said) if gap else word)
    return said


def filling(parser: argparse.ArgumentParser, before: list[str]) -> str:
    verbs = sorted(verbs_of(parser))
    if verbs and not before:
        return verbs[0]
    option = parser._option_string_actions.get(before[-1]) if before else None
    return str(next(iter(option.choices))) if option is not None and option.choices else FILLED


def is_complete(words: tuple[str, ...]) -> bool:
    """Leave out what a message fills with a flag, and the flag that ends every program."""
    return bool(words) and "--help" not in words and f"--{FILLED}" not in words


CASES = sorted({(command, words): place for place, command, words in named() if is_complete(words)}.items())


def test_messages_name_many_commands() -> None:
    """The search itself works: where it to find nothing, nothing would be tested."""
    assert len(CASES) > 20
    assert ("migrate_all", ("--rebuild", FILLED)) in dict(CASES)


@pytest.mark.parametrize(
    ("named_so", "place"), CASES, ids=[" ".join((case[0][0], *case[0][1])) for case in CASES]
)
def test_command_can_be_typed_as_it_is_named(named_so: tuple[str, tuple[str, ...]], place: str) -> None:
    """Each flag exists, has the value it needs, and goes with the others."""
    command, words = named_so
    try:
        parser_of(command).parse_args(filled(command, words))
    except (CommandError, SystemExit) as exc:
        if "are required" not in str(exc):
            pytest.fail(f"{place} names “{command} {' '.join(words)}”: {exc}")


def test_no_message_names_a_variable_of_the_sample_project() -> None:
    """Elsewhere a URL stands in DATABASES or ACCORD["STORES"]; the sample project is not in the wheel."""
    variables = ("DATABASE_URL", "MONGODB_URL", "ELASTICSEARCH_URL")
    # What accord_embedded fills by itself in a run of tests; its page names them, no message does.
    fills = {ROOT / "accord" / "test_servers.py"}

    told = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for package in PACKAGES
        for path in sorted({*(ROOT / package).rglob("*.py")} - fills)
        for line, text in texts(ast.parse(path.read_text(encoding="utf-8")))
        if any(variable in text for variable in variables)
    ]

    assert told == []
