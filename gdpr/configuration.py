"""The setting `GDPR`: what a project says of erasures beside the rules of `ACCORD["POLICY"]`, typed."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from accord import conf
from accord.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class GdprSettings:
    """
    `GDPR`, typed and with defaults.

    Attributes:
        keys_folder: Folder that the random key of each open request is kept in, one file each; empty for
            the unlogged table. A relative path starts at `BASE_DIR`.
    """

    keys_folder: str = ""


def load() -> GdprSettings:
    """
    Read `GDPR` from Django's settings.

    Raises:
        ConfigurationError: A key is unknown or a value is of the wrong type.
    """
    return parse(conf.section("GDPR"))


def parse(raw: Mapping[str, Any]) -> GdprSettings:
    """
    Check a settings dictionary and return it with types.

    Args:
        raw: Upper-case names to values, as in `settings.GDPR`.

    Raises:
        ConfigurationError: A key is unknown or a value is of the wrong type.
    """
    known = {item.name.upper(): item.name for item in fields(GdprSettings)}
    values = {}
    for key, value in raw.items():
        if key not in known:
            raise _unknown(key, list(known))
        if not isinstance(value, str) or not value:
            raise ConfigurationError(
                f"GDPR['{key}'] must be a text that isn't empty.", hint="See docs/reference/settings.md."
            )
        values[known[key]] = value
    return GdprSettings(**values)


def _unknown(key: str, known: list[str]) -> ConfigurationError:
    near = difflib.get_close_matches(key, known, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"Known keys: {', '.join(sorted(known))}."
    return ConfigurationError(f"GDPR['{key}'] is not a setting.", hint=hint)


def in_base_dir(path: str) -> Path:
    """Return a path of the settings; a relative one starts at `BASE_DIR`."""
    return conf.base_dir() / path
