"""Columns of the rows that stand, filled: the public operation."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import NotSupportedError
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import Model

from accord.seam.types import Direction, Phase
from migrator.operations.backfilling import Place, act
from migrator.operations.base import refuse_transaction
from migrator.operations.code import RowFunction
from migrator.operations.compiling import Condition
from migrator.operations.said import Said, Values


class Backfill(Operation):
    """
    Fill columns of the rows that stand, some at a time, and make sure that none is left.

    For a migration with `atomic = False`, on PostgreSQL. A batch and the place where it ended are one
    transaction: a run that was killed is taken up behind the last batch, and writes no row twice. Rows may
    come, go and change meanwhile. See docs/howto/fill-a-column.md.

    Args:
        model_name: The model.
        set: What fields get: a text is SQL (`"lower(email)"`), an expression of Django's (`F("a") * 2`), or a
            plain value (`0`).
        run: Instead: called with `(rows, apps, schema_editor)` for some rows at a time, which are locked. It
            changes fields of theirs; what else it writes, it writes in the same transaction.
        writes: Fields that `run` changes, and that are written then.
        where: Only rows of this condition, in SQL.
        filter: Only rows of this condition, as a Q on fields of the model.
        lacks: Condition of a row that still lacks its value, in SQL. Where nothing is said: one that holds
            another value than `set` says; with `run`, one that `where` or `filter` is still true of. A value
            made of the column that it is written to (`a + 1`) can't be told from another: then nothing
            but the walk itself is proved, unless this is said.
        backward: What undoes it, as `set` or as `run`; `{}` when nothing needs undoing.
        backward_where: Only rows of this condition are changed by `backward`.
        batch_size: Rows in a transaction at most; slow batches are made smaller.
        pause: Seconds between two batches, for a server that is busy.
        keep_before: Days for which values that are written over are kept beside the table, so that undoing
            brings them back where what was written still stands. They go before that with their rows, or when
            somebody writes the column anew (:mod:`migrator.relational.before`).
        subject: Whose the rows are: kind of person and field with their key, such as
            `("streaming.listener", "listener_id")`. Rows of people who were erased, or are being erased,
            are then left out (:mod:`accord.erased.tombstones`).

    Raises:
        InvalidRevision: What is said doesn't fit together.
    """

    atomic = False
    phase = Phase.BACKFILL
    goes_on = True

    def __init__(  # noqa: PLR0913 - one word for each thing that may be said
        self,
        model_name: str,
        *,
        set: Values | None = None,  # noqa: A002 - SQL's word, and that of the other stores' revisions
        run: RowFunction | None = None,
        writes: Sequence[str] = (),
        where: str = "",
        filter: Condition | None = None,  # noqa: A002 - Django's word
        lacks: Condition = "",
        backward: Values | RowFunction | None = None,
        backward_where: Condition = "",
        batch_size: int = 10_000,
        pause: float = 0.0,
        keep_before: int = 0,
        subject: tuple[str, str] | None = None,
    ) -> None:
        self.model_name = model_name
        self.said = Said(
            model_name=model_name,
            set=set,
            run=run,
            writes=tuple(writes),
            where=where,
            filter=filter,
            lacks=lacks,
            backward=backward,
            backward_where=backward_where,
            batch_size=batch_size,
            pause=pause,
            keep_before=keep_before,
            subject=subject,
        )
        self._of = _file_of(self)

    @property
    def reversible(self) -> bool:  # type: ignore[override]  # Django writes it as a plain attribute
        """Irreversible without a `backward`, or values that are kept."""
        return self.said.backward is not None or bool(self.said.keep_before)

    @property
    def reduces_to_sql(self) -> bool:  # type: ignore[override]  # as above
        """Code can't be shown as SQL."""
        return self.said.run is None

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return what it is made of."""
        usual: Mapping[str, Any] = Backfill.__init__.__kwdefaults__ or {}
        words = {name: getattr(self.said, name) for name in usual}
        return (
            type(self).__qualname__,
            [self.model_name],
            {name: value for name, value in words.items() if value != usual[name]},
        )

    def references_model(self, name: str, app_label: str) -> bool:
        """Say whether it is about a model, for Django's optimizer; code and SQL may be about any."""
        return True

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Leave the state alone."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Fill, then count what is left."""
        self._act(app_label, schema_editor, to_state, Direction.APPLY)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Undo it in the rows that it filled, the last one first."""
        self._act(app_label, schema_editor, to_state, Direction.REVERT)

    def _act(self, app: str, editor: Any, state: ProjectState, direction: Direction) -> None:
        model: type[Model] = state.apps.get_model(app, self.model_name)
        if not self.allow_migrate_model(editor.connection.alias, model):
            return
        if editor.connection.vendor != "postgresql":
            raise NotSupportedError(
                f"Backfill needs PostgreSQL, and {editor.connection.display_name} is none: write it as "
                "RunPython there."
            )
        refuse_transaction(self, editor)
        place = Place(app=app, file=self._of, model=model, editor=editor, apps=state.apps)
        act(self.said, place, direction)

    def describe(self) -> str:
        """Say what it is, for people."""
        return self.said.title

    @property
    def migration_name_fragment(self) -> str:
        """Return a part of a file's name."""
        return "_".join(("fill", self.model_name, *self.said.fields)).lower()


def _file_of(operation: Operation) -> str:
    """Return the module that makes an operation: which migration it is of, nobody tells it when it runs."""
    frame = sys._getframe(1)  # noqa: SLF001 - as namedtuple and TypeVar know where they are made
    while frame.f_back and frame.f_locals.get("self") is operation:
        frame = frame.f_back
    return str(frame.f_globals.get("__name__", ""))
