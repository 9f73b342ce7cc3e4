"""Whether a data map names lawful bases that there are: a word that is none would make nothing portable."""

from __future__ import annotations

from collections.abc import Iterator

from gdpr.datamap.bases import LawfulBasis
from gdpr.datamap.entries import Entry
from gdpr.datamap.findings import Fault, MapFinding, about


def lawful(entry: Entry) -> Iterator[MapFinding]:
    """Yield what is wrong with an entry's lawful basis."""
    if entry.basis is not None and entry.basis not in LawfulBasis.values:
        known = ", ".join(LawfulBasis.values)
        yield about(Fault.NO_BASIS, entry, f"names the lawful basis “{entry.basis}”", f"Bases: {known}.")
