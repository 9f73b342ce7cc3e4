"""What was read of an Alembic history's database: its heads, and our entry for each revision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from accord.seam.types import Origin

APPLYING = "applying"
APPLIED = "applied"
REVERTING = "reverting"
STATES = frozenset({APPLYING, APPLIED, REVERTING})


@dataclass(frozen=True, kw_only=True)
class RevisionEntry:
    """
    A line of our ledger.

    Attributes:
        state: `applied`, or `applying` and `reverting` where a revision left its transaction.
        checksum: Checksum of the revision's content.
        fingerprint: Hash of the file's bytes.
        run_id: Run that wrote it.
        fence: Fencing token of that run.
        applied_at: Time by the server's clock.
        word: How it came to be applied, as the ledger has it: a later version may know other words.
    """

    state: str
    checksum: str | None = None
    fingerprint: str | None = None
    run_id: str = ""
    fence: int = 0
    applied_at: datetime | None = None
    word: str = Origin.APPLIED.value

    @property
    def is_begun(self) -> bool:
        """Return whether it was begun, one way or the other, and not ended by us."""
        return self.state != APPLIED


@dataclass(frozen=True, kw_only=True)
class HistoryState:
    """
    What was read.

    Attributes:
        heads: Ids in Alembic's table.
        entries: Our entries by id.
        place: Server, database and schema that answered.
    """

    heads: tuple[str, ...] = ()
    entries: Mapping[str, RevisionEntry] = field(default_factory=dict)
    place: str = ""

    @cached_property
    def remembered(self) -> frozenset[str]:
        """Ids of what our entries say is applied, whatever files there are."""
        return frozenset(name for name, entry in self.entries.items() if not entry.is_begun)
