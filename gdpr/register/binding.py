"""
What binds the register to its database: an id that stands in both, and how far the database knows the file.

A register that is gone, that belongs to another database, or whose end was cut off is no register: whatever
relies on it stops before anybody is erased.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from accord import conf
from accord.wording import say
from gdpr.errors import RegisterBroken, RegisterForeign
from gdpr.fields import random_reference
from gdpr.models import RegisterMark
from gdpr.register import named
from gdpr.register.entries import EntryDraft, EntryWord, RegisterEntry
from gdpr.register.place import Register

logger = logging.getLogger(__name__)
ROW = 1
"""Primary key of the one row that knows the register."""
_PUT_BACK = (
    "Put it back from where you keep it, or let ACCORD['ERASURE_REGISTER'] name it. "
    "Without it nobody can be erased again after a restore. If it is lost for good, begin another: "
    "gdpr_replay --new-register --as USERNAME"
)


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
    known, kept = mark(), named.register()
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
    if conf.load().environment in named.REMADE and not known.position:
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
    return named.register().append(drafts, beginning=beginning)


def begin_anew() -> int:
    """
    Bind the database to a new register, in the open transaction. What is at its place is set aside.

    Returns:
        How many entries the database knew of the former one.
    """
    known = RegisterMark.objects.select_for_update().get(pk=mark().pk)
    former, kept = known.position, named.register()
    if aside := kept.set_aside(known.register):
        logger.warning("The former register of erasures was set aside: %s", aside)
    fresh: dict[str, object] = {"register": random_reference(), "position": 0, "head": "", "stores": {}}
    RegisterMark.objects.filter(pk=ROW).update(**fresh, replaying=None)
    return former


def move_forward(entry: RegisterEntry) -> None:
    """Note in the database that it knows the register up to an entry, unless it knows more."""
    rows = RegisterMark.objects.filter(pk=ROW, position__lt=entry.seq)
    rows.update(position=entry.seq, head=entry.hash)
