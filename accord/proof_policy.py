"""Where whoever decides at a command proves who they are: what the project's policy says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from accord import conf, environments
from accord.errors import ConfigurationError

SUBJECT = "proof"
"""The entry of `ACCORD["POLICY"]` that this module reads."""
_STRICT = ("production", "staging")


@dataclass(frozen=True, kw_only=True)
class ProofPolicy:
    """
    What environments ask for.

    Attributes:
        environments: Those in which whoever decides proves who they are, and in which the variable counts for
            nothing.
        password_variable: Those of them in which it counts all the same.
    """

    environments: tuple[str, ...] = _STRICT
    password_variable: tuple[str, ...] = ()

    def asks(self, environment: str) -> bool:
        """Return whether whoever decides proves who they are, signed in to the machine or not."""
        return environment in self.environments

    def takes_variable(self, environment: str) -> bool:
        """Return whether a password in a variable counts."""
        return not self.asks(environment) or environment in self.password_variable


def load(settings: conf.AccordSettings) -> ProofPolicy:
    """
    Read what environments ask for out of the suite's settings.

    Raises:
        ConfigurationError: As for :func:`policy`, or no environment has a name that stands there.
    """
    found = policy(settings.policy)
    for name in (item.name for item in fields(found)):
        environments.refuse_unknown(
            getattr(found, name), f"ACCORD['POLICY']['{SUBJECT}']['{name}']", settings
        )
    return found


def policy(raw: Mapping[str, Any]) -> ProofPolicy:
    """
    Read what environments ask for.

    Args:
        raw: As in `ACCORD["POLICY"]`.

    Raises:
        ConfigurationError: A name is unknown or a value is no list of names.
    """
    entry = raw.get(SUBJECT, {})
    place, known = f"ACCORD['POLICY']['{SUBJECT}']", [item.name for item in fields(ProofPolicy)]
    if not isinstance(entry, Mapping):
        raise ConfigurationError(f"{place} must be a dictionary.", hint="See docs/reference/policy.md.")
    for name, value in entry.items():
        if name not in known:
            raise ConfigurationError(
                f"{place}['{name}'] is not a setting.", hint=f"Known names: {', '.join(known)}."
            )
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise ConfigurationError(
                f"{place}['{name}'] must be a list of environments.", hint="See docs/reference/policy.md."
            )
    return ProofPolicy(**{name: tuple(map(str, value)) for name, value in entry.items()})
