"""
What an environment asks for before a run: `ACCORD["POLICY"]`, checked and typed.

An environment that has no entry asks for nothing, except `production`: there, another person
has to approve every plan until an entry says otherwise.
"""

from __future__ import annotations

import difflib
import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any

from accord import conf, environments
from accord.approvals import quorum
from accord.approvals.quorum import Quorum
from accord.errors import ConfigurationError
from accord.locks import patience
from accord.locks.patience import Patience
from accord.seam.rewriting import Extent
from migrator.lint import severities
from migrator.lint.finding import Severity

PRODUCTION = "production"
STAGING = "staging"
WEEK = 7 * 24 * 3600.0
RULES = ("name", "version_order", "docstring", "owner", "reversible")
_OTHER_SUBJECTS = ("erasure", "proof")  # no environments: gdpr and the kernel read them
_HINT = "See docs/reference/policy.md."


class Reaction(enum.StrEnum):
    """What a run does about what a look at the servers finds."""

    REFUSE = "refuse"
    """It doesn't start."""
    WARN = "warn"
    """It says so, and starts."""
    OFF = "off"
    """It doesn't look."""


_CHOICES: Mapping[str, type[enum.StrEnum]] = {
    "foretelling": Reaction,
    "lint": Reaction,
    "live_drift": Reaction,
    "rewriting": Extent,
}


@dataclass(frozen=True, kw_only=True)
class Policy:
    """
    What one environment asks for.

    Attributes:
        approval: Another person has to approve a plan before it runs.
        approvals: How many have to, and out of which groups.
        attestation: Environment that must have run the same steps before; empty for none.
        rules: Conventions that pending steps keep, out of :data:`RULES`.
        approval_ttl: Seconds until a request or an approval that wasn't used expires.
        foretelling: What a run does about steps that are foretold to fail.
        live_drift: What a run does about live stores that are not as their applied steps describe.
        lint: What a run does about errors that lint finds in its steps.
        lint_rules: By the word of a rule of lint, how much it weighs here.
        rewriting: Which tables are so large that what would lock them for long is sent in parts.
        locks: How long a step waits for locks.
    """

    approval: bool = False
    approvals: Quorum = quorum.ONE
    attestation: str = ""
    rules: tuple[str, ...] = ()
    approval_ttl: float = WEEK
    foretelling: Reaction = Reaction.REFUSE
    live_drift: Reaction = Reaction.OFF
    lint: Reaction = Reaction.OFF
    lint_rules: Mapping[str, Severity] = field(default_factory=dict)
    rewriting: Extent = Extent.LARGE
    locks: Patience = patience.USUAL

    @property
    def asks(self) -> bool:
        """Return whether anything is asked for at all."""
        return self.approval or bool(self.attestation) or bool(self.rules)

    @property
    def approval_life(self) -> timedelta:
        """How long a request or an approval counts."""
        return timedelta(seconds=self.approval_ttl)


@dataclass(frozen=True, kw_only=True)
class Policies:
    """
    The policies of all environments, as one installation knows them.

    Attributes:
        named: By environment, those that the settings name.
    """

    named: Mapping[str, Policy]

    def of(self, environment: str) -> Policy:
        """Return the policy of an environment."""
        return self.named.get(environment) or _unnamed(environment)

    def attests(self, environment: str) -> bool:
        """Return whether successful runs in an environment are attested: others rely on it."""
        return environment == STAGING or any(
            policy.attestation == environment for policy in self.named.values()
        )


def _unnamed(environment: str) -> Policy:
    """Return what an environment asks for that has no entry."""
    lint = Reaction.WARN if environment in (PRODUCTION, STAGING) else Reaction.OFF
    return Policy(approval=environment == PRODUCTION, lint=lint)


def place_of_approvals(environment: str) -> str:
    """Return where it stands how many have to approve in an environment."""
    return f"ACCORD['POLICY']['{environment}']['approvals']"


def load(settings: conf.AccordSettings) -> Policies:
    """
    Read the policies out of the suite's settings.

    Raises:
        ConfigurationError: A name is unknown, or none of an environment, or a value is of the wrong type.
    """
    environments.refuse_unknown(settings.policy, "ACCORD['POLICY']", settings, _OTHER_SUBJECTS)
    found = parse(settings.policy)
    for name, one in found.named.items():
        named = [one.attestation] if one.attestation else []
        environments.refuse_unknown(named, f"ACCORD['POLICY']['{name}']['attestation']", settings)
    return found


def parse(raw: Mapping[str, Any]) -> Policies:
    """
    Check the policies of every environment.

    Args:
        raw: As in `ACCORD["POLICY"]`.

    Raises:
        ConfigurationError: A name is unknown or a value is of the wrong type.
    """
    entries = {name: entry for name, entry in raw.items() if name not in _OTHER_SUBJECTS}
    return Policies(named={name: _policy(name, entry) for name, entry in entries.items()})


def _policy(environment: str, entry: object) -> Policy:
    place = f"ACCORD['POLICY']['{environment}']"
    if not isinstance(entry, Mapping):
        raise ConfigurationError(f"{place} must be a dictionary.", hint=_HINT)
    known = [item.name for item in fields(Policy)]
    for name in entry:
        if name not in known:
            raise _unknown(f"{place}['{name}'] is not a setting.", str(name), known)
    policy = Policy(**{name: _value(place, name, value) for name, value in entry.items()})
    if "approvals" in entry and not policy.approval:
        raise ConfigurationError(f"{place} names approvals, and asks for none.", hint="Add 'approval': True.")
    if policy.attestation == environment:
        raise ConfigurationError(f"{place}['attestation'] names the environment itself.", hint=_HINT)
    return policy


def _value(place: str, name: str, value: object) -> Any:
    if name in _PARSED:
        return _PARSED[name](value, f"{place}['{name}']")
    if name in _CHOICES and value in list(_CHOICES[name]):
        return _CHOICES[name](str(value))
    if name == "approval" and isinstance(value, bool):
        return value
    if name == "attestation" and isinstance(value, str):
        return value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if name == "approval_ttl" and number and float(str(value)) > 0:
        return float(str(value))
    word = {
        "approval": "True or False",
        "attestation": "the name of an environment",
        **{known: _listed(choices) for known, choices in _CHOICES.items()},
    }
    raise ConfigurationError(f"{place}['{name}'] must be {word.get(name, 'a number above 0')}.", hint=_HINT)


def _listed(choices: type[enum.StrEnum]) -> str:
    *others, last = choices
    return f"{', '.join(others)} or {last}"


def _rules(value: object, place: str) -> tuple[str, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ConfigurationError(f"{place} must be a list of names.", hint=_HINT)
    for rule in value:
        if rule not in RULES:
            raise _unknown(f"{place} holds {rule!r}, which is no rule.", str(rule), RULES)
    return tuple(value)


_PARSED: Mapping[str, Callable[[object, str], Any]] = {
    "rules": _rules,
    "approvals": quorum.parse,
    "lint_rules": severities.parse,
    "locks": patience.parse,
}


def _unknown(message: str, name: str, known: Sequence[str]) -> ConfigurationError:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"Known names: {', '.join(known)}."
    return ConfigurationError(message, hint=hint)
