"""All rules: the suite's own, and those of the project (`ACCORD["LINT"]["rules"]`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any

from accord.errors import ConfigurationError
from migrator.lint.rule import Rule
from migrator.lint.rules import (
    advice,
    columns,
    constraints,
    files,
    indexes,
    python,
    removals,
    sql,
    transactions,
    waiving,
)

_OWN: Sequence[Sequence[Rule]] = (
    indexes.RULES,
    columns.RULES,
    constraints.RULES,
    removals.RULES,
    sql.RULES,
    transactions.RULES,
    python.RULES,
    files.RULES,
    advice.RULES,
    waiving.RULES,
)


@cache
def own() -> Mapping[str, Rule]:
    """Return the suite's own rules by their words."""
    return {rule.id: rule for some in _OWN for rule in some}


def rules(settings: Mapping[str, Any]) -> Mapping[str, Rule]:
    """
    Return all rules by their words, the project's last.

    Args:
        settings: `ACCORD["LINT"]`.

    Raises:
        ConfigurationError: A path names no list of rules, or two rules have one word.
    """
    return _named([*own().values(), *_of_project(settings)])


def _of_project(settings: Mapping[str, Any]) -> Iterator[Rule]:
    for name in settings:
        if name != "rules":
            raise ConfigurationError(
                f"ACCORD['LINT']['{name}'] is not a setting.", hint="Known names: rules."
            )
    for path in settings.get("rules", ()):
        yield from _loaded(path)


def _loaded(path: object) -> Iterable[Rule]:
    module, _, name = str(path).rpartition(".")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as exc:
        raise ConfigurationError(
            f"ACCORD['LINT']['rules'] names {path}, which can't be imported: {exc}.",
            hint="Write the dotted path of a Rule, or of a list of them.",
        ) from exc
    listed = [found] if isinstance(found, Rule) else found
    if not isinstance(listed, Sequence) or not all(isinstance(one, Rule) for one in listed):
        raise ConfigurationError(
            f"{path} is no rule, and no list of them.", hint="Make it of migrator.lint.rule.Rule."
        )
    return listed


def _named(everything: Sequence[Rule]) -> Mapping[str, Rule]:
    named: dict[str, Rule] = {}
    for rule in everything:
        if rule.id in named:
            raise ConfigurationError(
                f"Two rules of lint are called “{rule.id}”.",
                hint="Begin the words of your own with a name of yours.",
            )
        named[rule.id] = rule
    return named
