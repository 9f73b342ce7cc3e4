"""
The settings of the suite: the only module that reads `django.conf.settings`.

A project sets one dictionary, `ACCORD`; everything has a default. An unknown key is an
error, so that a typing mistake never silently means "the default".
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, get_type_hints

from django.conf import settings as django_settings
from django.utils.encoding import force_bytes

from accord.errors import ConfigurationError

_LIST = Sequence[object]
_PLACE = str | Mapping[str, Any]
RELATIONAL_BACKEND = "migrator.relational.store.RelationalStore"


@dataclass(frozen=True, kw_only=True)
class StoreSettings:
    """
    Settings of one store.

    Attributes:
        alias: Name of the store.
        backend: Dotted path of the class that implements it.
        configured: Everything else that its entry in `ACCORD["STORES"]` holds. What the class is called with
            is told by `accord.isolation.options_of`, because tests have stores of their own.
    """

    alias: str
    backend: str
    configured: Mapping[str, object] = field(default_factory=dict, repr=False)

    def backend_class(self) -> Any:
        """
        Import the class.

        Raises:
            ImportError, AttributeError, ValueError: There is none of that path.
        """
        module, _, name = self.backend.rpartition(".")
        return getattr(import_module(module), name)


@dataclass(frozen=True, kw_only=True)
class AccordSettings:
    """
    `ACCORD`, typed and with defaults.

    Attributes:
        project: Name of the project; part of the lease's scope, so that two projects
            that share a PostgreSQL server don't wait for each other.
        environment: `development`, `test`, `staging`, `production` or a name of your own.
        environments: Names of your own that other installations of the project have; a policy may name them.
        coordinator: Alias in `DATABASES` of the PostgreSQL that holds leases and journal.
        stores: The stores beside those of `DATABASES`, in the order of the plan.
        lease_ttl: Seconds until a lease that its holder does not renew may be taken over.
        lock_wait: Seconds that a run waits for the lease by default.
        connect_timeout: Seconds until a store that does not answer counts as unavailable.
        signing_key: Ed25519 key that receipts, attestations and heads of the audit chain are
            signed with: base64 of 32 bytes. Empty means one derived from `SECRET_KEY`.
        trusted_keys: Names of other installations to the public keys they sign with, in base64.
        audit_checkpoints: File outside of the databases that heads of the audit chain are
            appended to; a relative path starts at `BASE_DIR`.
        audit_heads: Further places for the same heads: paths of files, or `{"COMMAND": [...]}`.
        erasure_register: File outside of the databases that every erasure is entered in, so that it can be
            repeated after a restore; a relative path starts at `BASE_DIR`. Or `{"DATABASE": alias}`, a
            database that no restore takes back with the others.
        policy: Rules by subject, such as `erasure`; each subject's package reads its own; and by
            environment, what it asks of a run (docs/reference/policy.md).
        attestations: Folder that attestations of successful runs are written to; empty for none.
        token_days: Days for which a token of the API counts at most, and by default.
        backups: For how many days which backups of each store are kept, by alias and kind.
        request_keys: Folder that the key of each open erasure request is kept in, one file each; empty for
            the unlogged table. A relative path starts at `BASE_DIR`.
        datamap_lock: File beside the project that holds what of the data map was reviewed; a relative path
            starts at `BASE_DIR`.
        live_drift: How live drift is looked for; the engine reads it (docs/reference/settings.md).
        lint: Which rules of its own a project has for its migrations (docs/howto/lint-in-ci.md).
        exports: Folder for the encrypted exports that are made in the admin; a relative path starts at
            `BASE_DIR`.
        export_days: Days until such a file is deleted.
        export_downloads: How often it may be downloaded before.
        workers: Celery workers for jobs in batches; read by `accord.batches.settings`.
        self_service_days: Days for which people may take an erasure back that they asked for on their own
            page; 0, which can't be set, for no such pages.
    """

    project: str = "accord"
    environment: str = "development"
    environments: Sequence[object] = ()
    coordinator: str = "default"
    stores: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    lease_ttl: float = 30.0
    lock_wait: float = 600.0
    connect_timeout: float = 5.0
    signing_key: str = field(default="", repr=False)
    trusted_keys: Mapping[str, object] = field(default_factory=dict)
    audit_checkpoints: str = ".accord/audit-checkpoints.jsonl"
    audit_heads: Sequence[object] = ()
    erasure_register: _PLACE = ".accord/erasure-register.jsonl"
    policy: Mapping[str, Any] = field(default_factory=dict)
    attestations: str = ""
    token_days: float = 90.0
    backups: Mapping[str, Any] = field(default_factory=dict)
    request_keys: str = ""
    datamap_lock: str = "datamap.lock.json"
    live_drift: Mapping[str, Any] = field(default_factory=dict)
    lint: Mapping[str, Any] = field(default_factory=dict)
    exports: str = ".accord/exports"
    export_days: float = 7.0
    export_downloads: float = 3.0
    workers: Mapping[str, Any] = field(default_factory=dict)
    self_service_days: float = 0.0

    def store_settings(self) -> Mapping[str, StoreSettings]:
        """
        List every configured store: the aliases of `DATABASES` first, the coordinator foremost.

        Raises:
            ConfigurationError: An entry has no `BACKEND`, or an alias is used twice.
        """
        relational = sorted(django_settings.DATABASES, key=lambda alias: (alias != self.coordinator, alias))
        found = {alias: StoreSettings(alias=alias, backend=RELATIONAL_BACKEND) for alias in relational}
        for alias, settings in self.configured_stores().items():
            if alias in found:
                raise ConfigurationError(
                    f"The store alias “{alias}” stands in DATABASES and in ACCORD['STORES'].",
                    hint="Give one of the two another alias.",
                )
            found[alias] = settings
        return found

    def configured_stores(self) -> Mapping[str, StoreSettings]:
        """
        List the stores beside those of `DATABASES`.

        Raises:
            ConfigurationError: An entry has no `BACKEND`.
        """
        return {alias: _store_settings(alias, entry) for alias, entry in self.stores.items()}


def _store_settings(alias: str, entry: Mapping[str, object]) -> StoreSettings:
    backend = entry.get("BACKEND")
    if not isinstance(backend, str):
        raise ConfigurationError(
            f"ACCORD['STORES']['{alias}'] has no BACKEND.",
            hint="Set BACKEND to the path of a store class, such as mongo_migrations.store.MongoStore.",
        )
    options = {name: value for name, value in entry.items() if name != "BACKEND"}
    return StoreSettings(alias=alias, backend=backend, configured=options)


def load() -> AccordSettings:
    """
    Read `ACCORD` from Django's settings.

    Raises:
        ConfigurationError: A key is unknown or a value is of the wrong type.
    """
    return parse(getattr(django_settings, "ACCORD", {}))


def base_dir() -> Path:
    """Return the folder that relative paths in a store's options start from: `BASE_DIR`, or where we run."""
    return Path(getattr(django_settings, "BASE_DIR", "")).absolute()


def middleware() -> tuple[str, ...]:
    """Return Django's `MIDDLEWARE`."""
    return tuple(django_settings.MIDDLEWARE)


def languages() -> tuple[str, ...]:
    """Return the codes of the project's languages, the one that it speaks by itself first."""
    codes = [code for code, _name in django_settings.LANGUAGES]
    own = django_settings.LANGUAGE_CODE
    first = own if own in codes else own.partition("-")[0]
    return tuple(sorted(codes, key=lambda code: code != first))


def named_secret(name: str) -> bytes:
    """Return the secret that a setting of the project holds; empty where it isn't set."""
    return force_bytes(getattr(django_settings, name, "") or "")


def secret_keys() -> tuple[bytes, ...]:
    """Return Django's `SECRET_KEY`, then those it replaced (`SECRET_KEY_FALLBACKS`)."""
    texts = (django_settings.SECRET_KEY, *django_settings.SECRET_KEY_FALLBACKS)
    return tuple(force_bytes(text) for text in texts)


def parse(raw: Mapping[str, Any]) -> AccordSettings:
    """
    Check a settings dictionary and return it with types.

    Args:
        raw: Upper-case names to values, as in `settings.ACCORD`.

    Raises:
        ConfigurationError: A key is unknown or a value is of the wrong type.
    """
    hints = _hints()
    known = {item.name.upper(): item.name for item in fields(AccordSettings)}
    values = {}
    for key, value in raw.items():
        if key not in known:
            raise _unknown_key(key, known)
        values[known[key]] = _typed(key, value, hints[known[key]])
    return AccordSettings(**values)


@cache
def _hints() -> Mapping[str, Any]:
    """Read the types once: it takes longer than everything else here."""
    return get_type_hints(AccordSettings)


def _unknown_key(key: str, known: Mapping[str, str]) -> ConfigurationError:
    near = difflib.get_close_matches(key, known, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"Known keys: {', '.join(sorted(known))}."
    return ConfigurationError(f"ACCORD['{key}'] is not a setting.", hint=hint)


def _typed(key: str, value: object, wanted: Any) -> Any:
    if wanted is float and isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
        return float(value)
    if wanted in (str, _PLACE) and isinstance(value, str) and value:
        return value
    if wanted == _LIST and isinstance(value, list | tuple):
        return tuple(value)
    if wanted not in (float, str, _LIST) and isinstance(value, Mapping):
        return value
    words: Mapping[object, str] = {
        float: "a number above 0",
        str: "a text that isn't empty",
        _LIST: "a list",
        _PLACE: "a text that isn't empty, or a dictionary",
    }
    word = words.get(wanted, "a dictionary")
    raise ConfigurationError(f"ACCORD['{key}'] must be {word}.", hint="See docs/reference/settings.md.")
