"""Where the settings say that the register of erasures is: a file, or a table of another database."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from django.db import connections

from accord import conf
from accord.errors import ConfigurationError
from gdpr.register.file import RegisterFile
from gdpr.register.place import Register
from gdpr.register.table import NAME, RegisterTable

REMADE = frozenset({"development", "test"})
"""Environments whose databases are thrown away and made again: each has a register of its own."""


def register() -> Register:
    """
    Return the register of this project's database, at the place that the settings name.

    Raises:
        ConfigurationError: They name no place that is outside of that database.
    """
    settings = conf.load()
    named, own = settings.erasure_register, ""
    if settings.environment in REMADE:
        own = _address(settings.coordinator)
    if isinstance(named, Mapping):
        return RegisterTable(_alias(named, settings.coordinator), f"{NAME}_{own}" if own else NAME)
    path = conf.base_dir() / named
    return RegisterFile(path.with_name(f"{path.stem}-{own}{path.suffix}") if own else path)


def _alias(named: Mapping[str, object], coordinator: str) -> str:
    """Read the alias of the database that a register is to lie in."""
    alias = named.get("DATABASE") if set(named) == {"DATABASE"} else None
    if not isinstance(alias, str) or alias not in connections:
        raise ConfigurationError(
            "ACCORD['ERASURE_REGISTER'] is neither the path of a file nor a database.",
            hint='Write "/mnt/register.jsonl" or {"DATABASE": "register"}, an alias of DATABASES.',
        )
    if _address(alias) == _address(coordinator):
        raise ConfigurationError(
            f"ACCORD['ERASURE_REGISTER'] names “{alias}”, the database that the register is to outlive.",
            hint="Name another one, on another server: a restore must not take both back.",
        )
    if connections[alias].vendor != "postgresql":
        raise ConfigurationError(
            f"ACCORD['ERASURE_REGISTER'] names “{alias}”, which is no PostgreSQL.",
            hint="Its triggers keep what is entered: name an alias of PostgreSQL, or the path of a file.",
        )
    return alias


def _address(alias: str) -> str:
    """Return what tells the databases of one machine apart, of which many come and go."""
    settings = connections[alias].settings_dict
    address = "\n".join(str(settings.get(name) or "") for name in ("HOST", "PORT", "NAME"))
    return hashlib.sha256(address.encode()).hexdigest()[:16]
