"""Names of environments that settings may mention: a misspelt one would ask nobody for anything."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

from accord import conf
from accord.errors import ConfigurationError

USUAL = ("development", "test", "staging", "production")
"""What installations are usually called; a project adds its own by `ACCORD["ENVIRONMENTS"]`."""


def known(settings: conf.AccordSettings) -> tuple[str, ...]:
    """Return every environment that there is as far as this installation knows, itself included."""
    return tuple(dict.fromkeys((*USUAL, *map(str, settings.environments), settings.environment)))


def refuse_unknown(
    names: Iterable[object], place: str, settings: conf.AccordSettings, others: Collection[str] = ()
) -> None:
    """
    Refuse a name that no environment has.

    Args:
        names: What stands there.
        place: Where, as a person finds it in the settings.
        settings: The suite's.
        others: What else may stand there.

    Raises:
        ConfigurationError: There is one; the hint lists the names.
    """
    allowed = (*known(settings), *others)
    for name in names:
        if name not in allowed:
            near = difflib.get_close_matches(str(name), allowed, n=1)
            meant = f"Did you mean {near[0]}? " if near else ""
            raise ConfigurationError(
                f"{place} names “{name}”, and no environment is called so.",
                hint=f"{meant}Names: {', '.join(allowed)}. "
                "Add one of your own to the list ACCORD['ENVIRONMENTS'].",
            )
