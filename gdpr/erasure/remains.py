"""
What stays of an erased person outside of what stores give out, and until when; pure.

A store that gives nothing out any more still has bytes: of dead rows, logs and unmerged segments, which
it writes over in its own time, and in backups, which end with the days for which they are kept. The first
have no date; the second have the one that a project declares.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from accord import conf
from accord.errors import ConfigurationError
from gdpr.documents import BackupLine
from gdpr.erasure import policy

_HINT = 'Such as {"default": {"dump": 30, "wal archive": 14}}; see docs/reference/settings.md.'


Declared = Mapping[str, Mapping[str, float]]
"""Days for which backups are kept, by store and kind."""


def backups(declared: Declared, stores: Iterable[str], since: datetime) -> tuple[list[BackupLine], list[str]]:
    """
    Say until when backups of stores hold what is erased by now.

    Args:
        declared: What :func:`load` gave.
        stores: Aliases, in the order of the answer.
        since: The last moment at which something of the person may have been there.

    Returns:
        A line for each kind of backup; and the stores of which nothing is declared.
    """
    lines: list[BackupLine] = []
    undeclared = []
    for store in stores:
        if store not in declared:
            undeclared.append(store)
        for kind, days in sorted(declared.get(store, {}).items()):
            until = (since + timedelta(days=days)).date().isoformat()
            lines.append({"store": store, "kind": kind, "kept_days": days, "until": until})
    return lines, undeclared


def load() -> Declared:
    """
    Read for how many days backups are kept, by store and kind; `{}` for a store without any.

    Raises:
        ConfigurationError: A store is unknown, or a number of days is none.
    """
    settings = conf.load()
    known = settings.store_settings().keys()
    for store, kinds in settings.backups.items():
        if store not in known:
            raise ConfigurationError(
                f"ACCORD['BACKUPS'] names “{store}”, which is no store.", hint=f"Stores: {', '.join(known)}."
            )
        _check(store, kinds)
    return settings.backups


def _check(store: str, kinds: object) -> None:
    if not isinstance(kinds, Mapping):
        raise ConfigurationError(f"ACCORD['BACKUPS']['{store}'] must be a dictionary.", hint=_HINT)
    for kind, days in kinds.items():
        if not isinstance(kind, str) or not _is_number(days):
            raise ConfigurationError(
                f"ACCORD['BACKUPS']['{store}'] must hold kinds of backups, and days from 0 on.", hint=_HINT
            )
        if days > policy.load().backups_kept_days:
            raise ConfigurationError(
                f"ACCORD['BACKUPS']['{store}'] outlives what the register of erasures keeps.",
                hint="Raise backups_kept_days in ACCORD['POLICY']['erasure'], so that whoever such a backup "
                "brings back can be erased again.",
            )


def _is_number(days: Any) -> bool:
    return isinstance(days, int | float) and not isinstance(days, bool) and days >= 0
