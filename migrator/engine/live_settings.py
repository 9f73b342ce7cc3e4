"""How live drift is looked for: `ACCORD["LIVE_DRIFT"]`, checked and typed."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from accord import conf
from accord.errors import ConfigurationError

DAY = 24 * 3600.0
_HINT = "See docs/reference/settings.md."


@dataclass(frozen=True, kw_only=True)
class LiveSettings:
    """
    What may be set.

    Attributes:
        every: Seconds that an answer counts before the health check looks anew.
        ignore: Patterns of things that nobody declares and that are nobody's business here: `STORE:THING` or
            `THING`, with `*`; a thing is a table, a collection or an index, or one of these, a dot and its
            column or index.
        snapshot: Folder of the reviewed snapshot that stores are held against where every step is applied; a
            relative path starts at `BASE_DIR`. Empty where there is none.
        answers: Folder that the last answer of each store is kept in; a relative path starts at `BASE_DIR`.
    """

    every: float = DAY
    answers: str = ".accord/live"
    ignore: tuple[str, ...] = ()
    snapshot: str = ""

    def ignores(self, store: str, thing: str) -> bool:
        """
        Check whether something that no step declares is to be left alone.

        Args:
            store: Where it is.
            thing: Its name there.
        """
        names = (thing, f"{store}:{thing}")
        return any(fnmatchcase(name, pattern) for pattern in self.ignore for name in names)

    @property
    def folder(self) -> Path:
        """Where the last answers are kept."""
        return conf.base_dir() / self.answers

    @property
    def reviewed(self) -> Path | None:
        """Where the reviewed snapshot is; None where there is none."""
        return conf.base_dir() / self.snapshot if self.snapshot else None


def load(settings: conf.AccordSettings) -> LiveSettings:
    """
    Read them out of the suite's settings.

    Raises:
        ConfigurationError: A name is unknown or a value is of the wrong type.
    """
    return parse(settings.live_drift)


def parse(raw: Mapping[str, Any]) -> LiveSettings:
    """
    Check the dictionary.

    Args:
        raw: As in `ACCORD["LIVE_DRIFT"]`.

    Raises:
        ConfigurationError: A name is unknown or a value is of the wrong type.
    """
    known = [item.name for item in fields(LiveSettings)]
    for name in raw:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Known names: {', '.join(known)}."
            raise ConfigurationError(f"ACCORD['LIVE_DRIFT']['{name}'] is not a setting.", hint=hint)
    return LiveSettings(**{name: _value(name, value) for name, value in raw.items()})


def _value(name: str, value: object) -> Any:
    if name == "every" and isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
        return float(value)
    if name in ("answers", "snapshot") and _is_text(value):
        return value
    if name == "ignore" and isinstance(value, list | tuple) and all(map(_is_text, value)):
        return tuple(value)
    word = {
        "every": "a number of seconds above 0",
        "answers": "the path of a folder",
        "snapshot": "the path of a folder",
        "ignore": "a list of patterns",
    }[name]
    raise ConfigurationError(f"ACCORD['LIVE_DRIFT']['{name}'] must be {word}.", hint=_HINT)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)
