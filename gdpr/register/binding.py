"""
What binds the register to its database: an id that stands in both, and how far the database knows the file.

A register that is gone, that belongs to another database, or whose end was cut off is no register: whatever
relies on it stops before anybody is erased.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from django.db import connections

from accord import conf
from accord.errors import ConfigurationError
from accord.wording import say
from gdpr.errors import RegisterBroken, RegisterForeign
from gdpr.fields import random_reference
from gdpr.models import RegisterMark
from gdpr.register.entries import EntryDraft, EntryWord, RegisterEntry
from gdpr.register.file import RegisterFile, logger
from gdpr.register.place import Register
from gdpr.register.table import NAME, RegisterTable

_REMADE = frozenset({"development", "test"})
"""Environments whose databases are thrown away and made again: each has a file of its own address there."""
ROW = 1
"""Primary key of the one row that knows the register."""
_PUT_BACK = (
    "Put it back from where you keep it, or let ACCORD['ERASURE_REGISTER'] name it. "
    "Without it nobody can be erased again after a restore. If it is lost for good, begin another: "
    "gdpr_replay --new-register --as USERNAME"
)


def register() -> Register:
    """
    Return the register of this project's database, at the place that the settings name.

    Raises:
        ConfigurationError: They name no place that is outside of that database.
    """
    settings = conf.load()
    named, own = settings.erasure_register, ""
    if settings.environment in _REMADE:
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


def mark() -> RegisterMark:
    """Read what the database knows of its register."""
    return RegisterMark.objects.get_or_create(pk=ROW)[0]


def require() -> RegisterMark:
    """
    Make sure that the register is there, is this database's, and has all that the database knows of.

    Returns:
        What the database knows of it.

    Raises:
        RegisterUnavailable: It can't be read.
        RegisterForeign: It is another database's, or gone.
        RegisterBroken: It was changed, or cut off.
    """
    known, kept = mark(), register()
    first = kept.first()
    if first is None:
        if known.position:
            raise RegisterForeign(
                say("The register of erasures is gone: {path}.", path=kept.place), hint=_PUT_BACK
            )
    elif first.draft.facts.get("register") != known.register:
        _refuse_foreign(known, kept)
    elif known.position:
        _require_known(known, kept)
    return known


def _refuse_foreign(known: RegisterMark, kept: Register) -> None:
    if conf.load().environment in _REMADE and not known.position:
        # The database was dropped and made again; nothing can be restored into it that this file is about.
        logger.warning("The register of a database that is gone was set aside: %s", kept.set_aside())
        return
    raise RegisterForeign(
        say("The register of erasures is that of another database: {path}.", path=kept.place), hint=_PUT_BACK
    )


def _require_known(known: RegisterMark, kept: Register) -> None:
    newest = kept.since(known.position)
    if not newest or newest[0].seq != known.position:
        raise RegisterBroken(
            say(
                "The register of erasures was cut off: the database knows {position}: {path}.",
                position=known.position,
                path=kept.place,
            ),
            hint=_PUT_BACK,
        )
    if newest[0].hash != known.head:
        raise RegisterBroken(
            say(
                "Entry {position} of the register of erasures is another one than the database knows: "
                "{path}.",
                position=known.position,
                path=kept.place,
            ),
            hint=_PUT_BACK,
        )


def enter(drafts: Sequence[EntryDraft]) -> Sequence[RegisterEntry]:
    """
    Write entries into the register; the first ones begin it.

    Args:
        drafts: What they say; at least one.

    Returns:
        The entries, which are on the disk.

    Raises:
        RegisterError: As :func:`require`; or it can't be written.
    """
    known = require()
    beginning = EntryDraft(word=EntryWord.BEGUN, at=drafts[0].at, facts={"register": known.register})
    return register().append(drafts, beginning=beginning)


def begin_anew() -> int:
    """
    Bind the database to a new register, in the open transaction. What is at its place is set aside.

    Returns:
        How many entries the database knew of the former one.
    """
    known = RegisterMark.objects.select_for_update().get(pk=mark().pk)
    former, kept = known.position, register()
    if aside := kept.set_aside(known.register):
        logger.warning("The former register of erasures was set aside: %s", aside)
    fresh: dict[str, object] = {"register": random_reference(), "position": 0, "head": "", "stores": {}}
    RegisterMark.objects.filter(pk=ROW).update(**fresh, replaying=None)
    return former


def move_forward(entry: RegisterEntry) -> None:
    """Note in the database that it knows the register up to an entry, unless it knows more."""
    rows = RegisterMark.objects.filter(pk=ROW, position__lt=entry.seq)
    rows.update(position=entry.seq, head=entry.hash)
