"""How much each rule weighs in an environment, by the word of its policy."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping

from accord.errors import ConfigurationError
from migrator.lint.finding import Severity

_HINT = "See docs/reference/policy.md."


def parse(value: object, place: str) -> Mapping[str, Severity]:
    """
    Check the weights that a policy gives to rules.

    Args:
        value: Words of rules to `error`, `warning`, `info` or `off`.
        place: Where it stands, for the message.

    Raises:
        ConfigurationError: It is no dictionary, or a weight is unknown.
    """
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{place} must be a dictionary.", hint=_HINT)
    for rule, weight in value.items():
        if weight not in list(Severity):
            raise ConfigurationError(f"{place}['{rule}'] must be one of {', '.join(Severity)}.", hint=_HINT)
    return {str(rule): Severity(weight) for rule, weight in value.items()}


def refuse_unknown(given: Collection[str], known: Collection[str]) -> None:
    """
    Make sure that a policy names rules that there are.

    Raises:
        ConfigurationError: It names another.
    """
    for rule in given:
        if rule not in known:
            near = difflib.get_close_matches(rule, known, n=1)
            hint = f"Did you mean {near[0]}?" if near else "docs/reference/lint.md has them all."
            raise ConfigurationError(f"A policy's lint_rules name “{rule}”, which is no rule.", hint=hint)
