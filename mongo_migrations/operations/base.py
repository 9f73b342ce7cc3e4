"""
What every operation can do, and the context that it works in.

A new operation is a new file with a class of :class:`Operation`; nothing else has to know it.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from accord.errors import ConflictingState
from accord.events import Reporter, StepNoted, StepProgressed
from accord.types import Direction, Lease, Presence, Statement, StepKey
from mongo_migrations.ledger import Entry, Ledger
from mongo_migrations.schema import LiveSchema, Outline, findings, judge

if TYPE_CHECKING:
    from pymongo.client_session import ClientSession
    from pymongo.database import Database

Document = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """
    What one piece of work in a transaction came to.

    Attributes:
        changed: Documents changed.
        checkpoint: Where the next piece continues; None when the operation is finished.
    """

    changed: int = 0
    checkpoint: Mapping[str, Any] | None = None


class Context:
    """
    Where an operation works: the database, the lease, and its own place in the ledger.

    Args:
        db: The database.
        ledger: Records progress.
        entry: What the ledger holds of the step.
        index: Which of the step's operations this is, from 0.
        direction: Which way it goes.
        digests: Digest of each operation of the step.
        lease: The right to write.
        report: Hears of progress.
    """

    def __init__(
        self,
        *,
        db: Database[Document],
        ledger: Ledger,
        entry: Entry,
        index: int,
        direction: Direction,
        digests: Sequence[str],
        lease: Lease,
        report: Reporter,
    ) -> None:
        self.db = db
        self.entry = entry
        self.finished = False
        self._ledger = ledger
        self._index = index
        self._direction = direction
        self._digests = digests
        self._lease = lease
        self._report = report

    @property
    def key(self) -> StepKey:
        """The step."""
        return self.entry.key

    @property
    def transactional(self) -> bool:
        """True where work and ledger write can be one transaction."""
        return self._ledger.transactional

    def check(self) -> None:
        """Ask whether the lease is still ours."""
        self._lease.check()

    def command(self, command: Mapping[str, Any]) -> None:
        """Send a command about the schema, and wait until a majority has it."""
        self.db.command({**command, "writeConcern": {"w": "majority", "j": True}})

    def note(self, text: str) -> None:
        """Tell people something."""
        self._report(StepNoted(key=str(self.key), note=text))

    def progressed(self, done: int, total: int | None) -> None:
        """Tell people how far a long operation has come."""
        self._report(StepProgressed(key=str(self.key), done=done, total=total))

    # --- what a rerun or a revert has to know ------------------------------------------------

    def saved(self, name: str) -> Any:
        """Give what this operation put away under a name, None if nothing."""
        from bson import json_util

        text = self.entry.saved.get(self._saved_name(name))
        return None if text is None else json_util.loads(text, json_options=json_util.CANONICAL_JSON_OPTIONS)

    def save(self, name: str, value: object) -> None:
        """Put something away in the ledger, before the effect that would make it unreadable."""
        from bson import json_util

        text = json_util.dumps(value, json_options=json_util.CANONICAL_JSON_OPTIONS)
        self._commit(lambda _: {"$set": {f"saved.{self._saved_name(name)}": text}})

    def saved_once(self, name: str, value: Callable[[], object]) -> Any:
        """Give what was put away before, or put away what the function gives."""
        found = self.saved(name)
        if found is None:
            self.save(name, value())
            found = self.saved(name)
        return found

    def checkpoint(self) -> Mapping[str, Any] | None:
        """Give where this operation continues, None to begin."""
        from bson import json_util

        if self.entry.checkpoint is None:
            return None
        loaded: Mapping[str, Any] = json_util.loads(
            self.entry.checkpoint, json_options=json_util.CANONICAL_JSON_OPTIONS
        )
        return loaded

    # --- moving on ---------------------------------------------------------------------------

    def exactly_once(self, work: Callable[[ClientSession | None], Batch]) -> Batch:
        """
        Do a piece of work in the same transaction as its record in the ledger.

        Args:
            work: Called with the transaction's session, again if the server asks for a retry.

        Returns:
            What the work came to.
        """
        results: list[Batch] = []

        def recorded(session: ClientSession | None) -> Mapping[str, Any]:
            results.append(work(session))
            return self._progress(results[-1])

        self._commit(recorded)
        self.finished = results[-1].checkpoint is None
        return results[-1]

    def finish(self, changed: int) -> None:
        """Record that the operation is finished, unless its own work did so."""
        if not self.finished:
            self.exactly_once(lambda _: Batch(changed=changed))

    def _progress(self, batch: Batch) -> Mapping[str, Any]:
        from bson import json_util

        if batch.checkpoint is not None:
            text = json_util.dumps(batch.checkpoint, json_options=json_util.CANONICAL_JSON_OPTIONS)
            return {"$set": {"checkpoint": text}, "$inc": {"changed": batch.changed}}
        done = self._index + 1 if self._direction is Direction.APPLY else self._index
        finished = {"checkpoint": None, "operations_done": done, "finished": list(self._digests[:done])}
        return {"$set": finished, "$inc": {"changed": batch.changed}}

    def _commit(self, work: Callable[[ClientSession | None], Mapping[str, Any]]) -> None:
        self.entry = self._ledger.commit(self.key, self._lease, work)

    def _saved_name(self, name: str) -> str:
        return f"{self._index}_{name}"


class Operation(ABC):
    """
    One instruction of a revision: a frozen value with verbs.

    Every verb that writes is idempotent, also after a kill in its middle.
    """

    needs_transactions = False
    """Does it only work where the server has transactions?"""

    @property
    def irreversible(self) -> str:
        """Why it can't be undone; empty when it can."""
        return ""

    @abstractmethod
    def apply(self, context: Context) -> int:
        """
        Do it, unless it is done already.

        Returns:
            How many documents or objects it changed and has not counted in the ledger itself.

        Raises:
            ConflictingState: What it would create is there, and different.
        """

    @abstractmethod
    def revert(self, context: Context) -> int:
        """Undo it, unless it is undone already; gives a number as :meth:`apply` does."""

    @abstractmethod
    def explain(self, direction: Direction) -> Sequence[Statement]:
        """Show what it would send. No server is asked."""

    @abstractmethod
    def outline(self, outline: Outline, owner: StepKey) -> None:
        """Write into an outline what stands after it."""

    def probe(self, db: Database[Document], owner: StepKey) -> Presence:
        """Look whether its effect is there."""
        outline = Outline()
        self.outline(outline, owner)
        return judge(owner, outline, list(findings(outline, LiveSchema(db)))).presence

    def digest(self) -> str:
        """Hash what it would send, to notice that a half-applied revision was edited."""
        text = "\n".join(statement.text for statement in self.explain(Direction.APPLY))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def conflict(key: StepKey, place: str, differences: Sequence[str]) -> ConflictingState:
    """
    Make the error for an object that exists with another definition.

    Args:
        key: The step that would create it.
        place: The object.
        differences: In words.
    """
    return ConflictingState(
        f"{key}: {place} exists already and differs: {'; '.join(differences)}.",
        hint="Declare what is there, or change what is there to what is declared, and run again.",
    )
