"""Where an operation of MongoDB works: the database, and the run's progress with its verbs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from accord.retry import Backoff, again
from accord.revisions.progress import Progress
from mongo_migrations import retries

if TYPE_CHECKING:
    from bson.raw_bson import RawBSONDocument
    from pymongo.database import Database

    from mongo_migrations.ledger import Ledger

Document = dict[str, Any]
_CONCERN = {"w": "majority", "j": True}
_BUILDS, _PAUSE = 60, Backoff(first=0.1, most=1.0)


class Context:
    """
    Where an operation works: the database, and the run's progress with its verbs.

    Args:
        db: The database.
        progress: Lease, reporter, and the operation's own place in the ledger.
        ledger: What is exactly once is written through it.
    """

    def __init__(self, db: Database[Document], progress: Progress, ledger: Ledger) -> None:
        self.db = db
        self.patience = ledger.patience
        self.key, self.leave = progress.key, progress.leave
        self.check, self.note, self.progressed = progress.check, progress.note, progress.progressed
        self.saved, self.save, self.saved_once = progress.saved, progress.save, progress.saved_once
        self.checkpoint, self.exactly_once = progress.checkpoint, progress.exactly_once
        self._progress = progress

    @property
    def transactional(self) -> bool:
        """True where work and ledger write can be one transaction."""
        return self._progress.transactional

    @property
    def finished(self) -> bool:
        """True once the operation's own work has recorded its end."""
        return self._progress.finished

    @property
    def raw(self) -> Database[RawBSONDocument]:
        """Return a view of the database that gives documents as the bytes that they are."""
        from bson.raw_bson import RawBSONDocument

        options = self.db.codec_options.with_options(document_class=RawBSONDocument)
        return self.db.with_options(codec_options=options)

    def command(self, command: Mapping[str, Any]) -> None:
        """
        Send a command about the schema, and wait until a majority has it.

        Where an index is being built, of a run that was overtaken or by the application, the server
        refuses; it is asked again for a minute, as long as the lease is ours.
        """
        again(
            partial(self._send, command),
            when=retries.is_building,
            retries=_BUILDS,
            backoff=_PAUSE,
            sleep=self._wait,
        )

    def _wait(self, seconds: float) -> None:
        time.sleep(seconds)
        self.check()

    def _send(self, command: Mapping[str, Any]) -> None:
        if "renameCollection" in command:
            names = {name: f"{self.db.name}.{collection}" for name, collection in command.items()}
            self.db.client.admin.command({**names, "writeConcern": _CONCERN})
        else:
            self.db.command({**command, "writeConcern": _CONCERN})
