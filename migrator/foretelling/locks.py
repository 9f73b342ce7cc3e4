"""
Which lock each act takes, what it keeps others from, and whether the table is read or written anew meanwhile.

After PostgreSQL's documentation, chapter "Explicit Locking" and the page of each statement. Pure.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from migrator.foretelling.acts import Act, Kind


class LockMode(enum.IntEnum):
    """PostgreSQL's table locks, the weakest first."""

    NONE = 0
    ROW_EXCLUSIVE = 1
    SHARE_UPDATE_EXCLUSIVE = 2
    SHARE = 3
    SHARE_ROW_EXCLUSIVE = 4
    ACCESS_EXCLUSIVE = 5

    @property
    def words(self) -> str:
        """Return its name as PostgreSQL writes it; empty for none."""
        return self.name.replace("_", " ") if self else ""

    @property
    def keeps_out(self) -> str:
        """Return who waits meanwhile."""
        if self is LockMode.ACCESS_EXCLUSIVE:
            return "readers and writers wait"
        return "writers wait" if self >= LockMode.SHARE else "nobody waits"


@dataclass(frozen=True, kw_only=True)
class Burden:
    """
    What an act costs a table.

    Attributes:
        mode: The lock.
        scans: Every row is read under it.
        rewrites: Every row is written anew under it.
        builds: An index is built meanwhile, beside the table.
        drops: The table goes; its rows are counted where all that is lost is told.
    """

    mode: LockMode = LockMode.NONE
    scans: bool = False
    rewrites: bool = False
    builds: bool = False
    drops: bool = False

    def beside(self, other: Burden) -> Burden:
        """Return what two acts of one transaction cost together."""
        return Burden(
            mode=max(self.mode, other.mode),
            scans=self.scans or other.scans,
            rewrites=self.rewrites or other.rewrites,
            builds=self.builds or other.builds,
            drops=self.drops or other.drops,
        )

    def apart(self, other: Burden, act: Act) -> Burden:
        """
        Return what two acts cost of which each is a transaction; work under the weaker lock is left out.

        Args:
            other: The burden of the second one.
            act: That act; before a part that forbids NULL there is one that proves that there is none.
        """
        mode = max(self.mode, other.mode)
        proved = replace(other, scans=other.scans and act.kind is not Kind.NOT_NULL)
        strong = [each for each in (self, proved) if each.mode == mode]
        return Burden(
            mode=mode,
            scans=any(each.scans for each in strong),
            rewrites=any(each.rewrites for each in strong),
            builds=self.builds or other.builds,
            drops=self.drops or other.drops,
        )

    @property
    def words(self) -> str:
        """Return it as a part of a sentence."""
        work = "the table is written anew" if self.rewrites else "every row is read" if self.scans else ""
        return f"{self.mode.words}: {self.mode.keeps_out}" + (f" while {work}" if work else "")


NO_BURDEN = Burden()
"""What costs no table anything."""

_CONSTANT = re.compile(
    r"^\(*\s*([eE]?'(?:[^']|'')*'|[-+]?[\d.]+|true|false|null|now\(\)|current_\w+|localtime\w*|"
    r"statement_timestamp\(\)|transaction_timestamp\(\))(::[\w\s()\[\],\"]+)?\s*\)*$",
    re.IGNORECASE,
)


def burden_of(act: Act, old_type: str = "") -> Burden:
    """
    Return what an act costs its table.

    Args:
        act: What is done.
        old_type: Type of the column before, where a type changes and it is known.
    """
    if act.kind is Kind.TYPE:
        return Burden(mode=LockMode.ACCESS_EXCLUSIVE, rewrites=rewrites(old_type, act.type))
    if act.kind is Kind.ADD_COLUMN:
        return _of_new_column(act)
    if act.kind is Kind.INDEX and act.concurrently:
        return Burden(mode=LockMode.SHARE_UPDATE_EXCLUSIVE, scans=True, builds=True)
    if act.kind in _CONCURRENT and act.concurrently:
        return Burden(mode=LockMode.SHARE_UPDATE_EXCLUSIVE) if act.table else Burden()
    found = _BURDENS.get(act.kind, Burden()) if act.table else Burden()
    return found if act.valid else replace(found, scans=False)


_CONCURRENT = (Kind.DROP_INDEX, Kind.REINDEX, Kind.DETACH)
"""What, besides building an index, may be done beside writers."""
_BURDENS: Mapping[Kind, Burden] = {
    Kind.FOREIGN_KEY: Burden(mode=LockMode.SHARE_ROW_EXCLUSIVE, scans=True),
    Kind.INDEX: Burden(mode=LockMode.SHARE, scans=True, builds=True),
    Kind.UNIQUE: Burden(mode=LockMode.ACCESS_EXCLUSIVE, scans=True, builds=True),
    Kind.EXCLUDE: Burden(mode=LockMode.ACCESS_EXCLUSIVE, scans=True, builds=True),
    Kind.VALIDATE: Burden(mode=LockMode.SHARE_UPDATE_EXCLUSIVE, scans=True),
    Kind.NOT_NULL: Burden(mode=LockMode.ACCESS_EXCLUSIVE, scans=True),
    Kind.CHECK: Burden(mode=LockMode.ACCESS_EXCLUSIVE, scans=True),
    Kind.UPDATE: Burden(mode=LockMode.ROW_EXCLUSIVE),
    Kind.ROWS: Burden(mode=LockMode.ROW_EXCLUSIVE),
    Kind.DROP_TABLE: Burden(mode=LockMode.ACCESS_EXCLUSIVE, drops=True),
    Kind.REINDEX: Burden(mode=LockMode.SHARE, scans=True, builds=True),
    Kind.REWRITE: Burden(mode=LockMode.ACCESS_EXCLUSIVE, rewrites=True),
    Kind.ATTACH: Burden(mode=LockMode.ACCESS_EXCLUSIVE, scans=True),
    Kind.TRUNCATE: Burden(mode=LockMode.ACCESS_EXCLUSIVE, drops=True),
    **dict.fromkeys(
        (
            *(Kind.DROP_COLUMN, Kind.DROP_INDEX, Kind.RENAME, Kind.HARMLESS, Kind.NULLABLE, Kind.DEFAULT),
            *(Kind.DETACH, Kind.PARTITION),
        ),
        Burden(mode=LockMode.ACCESS_EXCLUSIVE),
    ),
}


def _of_new_column(act: Act) -> Burden:
    serial = act.type.lower().endswith("serial")
    computed = act.generated and act.stored
    volatile = computed or serial or (bool(act.default) and not is_constant(act.default))
    reads = act.unique or bool(act.expression) or (act.generated and act.not_null)
    return Burden(mode=LockMode.ACCESS_EXCLUSIVE, rewrites=volatile, scans=reads)


def is_constant(default: str) -> bool:
    """Return whether a default gives the same for every row of a statement, so that no row is touched."""
    return not default or _CONSTANT.match(default) is not None


_TEXT = re.compile(r"^(?P<name>text|varchar|character varying)\s*(\((?P<size>\d+)\))?$")
_NUMERIC = re.compile(r"^(numeric|decimal)\s*(\((?P<size>\d+)\s*(,\s*(?P<scale>\d+))?\s*\))?$")
_TIME = re.compile(
    r"^(?P<name>timestamp|timestamptz|time|timetz|interval)\s*(\((?P<size>\d)\))?\s*"
    r"(?P<zone>with time zone|without time zone)?$"
)
_FINEST = 6
"""Digits of a second that a time keeps which names none; it can't keep more."""
_BITS = re.compile(r"^(varbit|bit varying)\s*(\((?P<size>\d+)\))?$")
_ANY = 2**31
"""More than any length that can be named."""


def rewrites(old: str, new: str) -> bool:
    """
    Return whether a change of type writes the table anew; so it does wherever it isn't known not to.

    Args:
        old: The type before; empty where unknown.
        new: The type after.
    """
    old, new = old.lower().strip(), new.lower().strip()
    if old == new:
        return False
    text, wider = _TEXT.match(old), _TEXT.match(new)
    if text and wider:
        return wider["size"] is not None and (text["size"] is None or int(text["size"]) > int(wider["size"]))
    number, larger = _NUMERIC.match(old), _NUMERIC.match(new)
    if number and larger and larger["size"] is None:
        return False
    if number and larger and number["size"] is not None:
        same_scale = (number["scale"] or "0") == (larger["scale"] or "0")
        return not (same_scale and int(number["size"]) <= int(larger["size"]))
    return not (_is_finer(old, new) or _is_longer(old, new) or (old, new) == ("cidr", "inet"))


def _is_finer(old: str, new: str) -> bool:
    """Return whether a time keeps its kind and none of its digits."""
    before, after = _TIME.match(old), _TIME.match(new)
    if not before or not after or _kind_of(before) != _kind_of(after):
        return False
    return int(after["size"] or _FINEST) >= int(before["size"] or _FINEST)


def _kind_of(time: re.Match[str]) -> tuple[str, bool]:
    name = time["name"]
    return name.removesuffix("tz"), name.endswith("tz") or (time["zone"] or "").startswith("with ")


def _is_longer(old: str, new: str) -> bool:
    before, after = _BITS.match(old), _BITS.match(new)
    if not before or not after:
        return False
    return int(after["size"] or _ANY) >= int(before["size"] or _ANY)
