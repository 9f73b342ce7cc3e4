"""
Names of what a store holds: deterministic, so that a repeated step meets its own work.

An index is known to applications by its logical name, an alias. Behind it stands a physical
index whose name ends in the number of the revision that made it: `tracks` is
`tracks-0001` until revision 0004 copies it into `tracks-0004`.
"""

from __future__ import annotations

from dataclasses import dataclass

from accord.errors import InvalidRevision

_FORBIDDEN = frozenset('\\/*?"<>| ,#:')


@dataclass(frozen=True)
class Names:
    """
    How a store with a prefix names things.

    Attributes:
        prefix: Put in front of every index, alias and template.
    """

    prefix: str = ""

    def alias(self, name: str) -> str:
        """Return the alias that applications use for an index."""
        return f"{self.prefix}{name}"

    def physical(self, name: str, number: str) -> str:
        """Return the index that the revision of this number makes."""
        return f"{self.prefix}{name}-{number}"

    def scratch(self, token: str) -> str:
        """Return the short-lived empty index that the server is asked with, whose token nobody else has."""
        return f"{self.prefix}accord-scratch-{token}"

    def ledger(self) -> str:
        """Return the ledger's name, unless the settings give another."""
        return f"{self.prefix}accord-ledger"

    def imports(self) -> str:
        """Return the index that keeps how far imports in bulk are."""
        return f"{self.prefix}accord-import"


def number_of(revision: str) -> str:
    """
    Take the number from a revision's name.

    Args:
        revision: Name such as `0004_tracks_by_mood`.
    """
    return revision.partition("_")[0]


def checked(name: str, what: str = "index") -> str:
    """
    Refuse a name that a server would refuse, before anything is sent.

    Args:
        name: Logical name of an index, an alias or a template.
        what: Which of them, for the message.

    Raises:
        InvalidRevision: A server would not take it.
    """
    bad = not name or name != name.lower() or name[0] in "-_+." or _FORBIDDEN & set(name)
    if bad:
        raise InvalidRevision(
            f"“{name}” can't be the name of an {what}.",
            hint="Use small letters, digits, hyphens and underscores, and begin with a letter.",
        )
    return name
