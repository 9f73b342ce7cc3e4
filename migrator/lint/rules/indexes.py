"""Indexes are built, dropped and rebuilt beside readers and writers."""

from __future__ import annotations

from collections.abc import Iterator

from migrator.foretelling.acts import Kind
from migrator.foretelling.locks import LockMode
from migrator.lint.finding import Severity
from migrator.lint.rule import Found, Rule, about
from migrator.lint.subject import Family, Sight, Subject


def _built(subject: Subject) -> Iterator[Found]:
    for sight in subject.standing(Kind.INDEX):
        if not sight.act.concurrently:
            yield about(sight, f"An index on {sight.act.table} is built while writers wait.")


def _dropped(subject: Subject) -> Iterator[Found]:
    for sight in subject.standing(Kind.DROP_INDEX):
        # A constraint can't be dropped in another way.
        if not sight.act.concurrently and sight.act.valid:
            named = sight.act.place
            yield about(
                sight, f"Dropping the index {named} waits for every reader, and everybody waits behind it."
            )


def _rebuilt(subject: Subject) -> Iterator[Found]:
    for sight in subject.standing(Kind.REINDEX):
        if not sight.act.concurrently:
            yield about(sight, f"{sight.act.place or 'An index'} is rebuilt while writers wait.")


_BESIDE = (Kind.INDEX, Kind.DROP_INDEX, Kind.REINDEX, Kind.DETACH)


def _in_transaction(subject: Subject) -> Iterator[Found]:
    for sight in subject.sights:
        if sight.act.kind in _BESIDE and sight.act.concurrently and sight.in_transaction:
            yield about(
                sight, "PostgreSQL refuses CONCURRENTLY inside a transaction, and the migration is one."
            )


def _hides(subject: Subject) -> Iterator[Found]:
    # A cut revision begins anew, once its invalid indexes are dropped: it has to bear those that are whole.
    if subject.family is Family.ALEMBIC:
        return
    for sight in subject.sights:
        act = sight.act
        if act.kind is Kind.INDEX and act.concurrently and act.lenient:
            yield about(
                sight, "IF NOT EXISTS takes an invalid index, which a failed build leaves, for a good one."
            )


def _after_lock(subject: Subject) -> Iterator[Found]:
    locked: dict[str, Sight] = {}
    for sight in subject.sights:
        if sight.fresh or not sight.in_transaction:
            continue
        before = locked.get(sight.act.table)
        if before is not None and before.number != sight.number and _builds(sight):
            yield about(
                sight,
                f"{sight.act.table} is locked since “{before.spot.what}”, and stays so while "
                "the index is built.",
            )
        if sight.burden.mode is LockMode.ACCESS_EXCLUSIVE:
            locked.setdefault(sight.act.table, sight)


def _builds(sight: Sight) -> bool:
    return sight.act.kind is Kind.INDEX and not sight.act.concurrently


RULES = (
    Rule(
        id="index-not-concurrent",
        title="An index is built beside writers.",
        safe=(
            "AddIndexConcurrently in a migration of its own with atomic = False (SQL: CREATE "
            "INDEX CONCURRENTLY)."
        ),
        check=_built,
    ),
    Rule(
        id="index-drop-not-concurrent",
        title="An index is dropped beside readers and writers.",
        safe=(
            "RemoveIndexConcurrently in a migration of its own with atomic = False (SQL: DROP "
            "INDEX CONCURRENTLY)."
        ),
        check=_dropped,
        severity=Severity.WARNING,
    ),
    Rule(
        id="reindex-not-concurrent",
        title="An index is rebuilt beside writers.",
        safe="REINDEX ... CONCURRENTLY in a migration of its own with atomic = False.",
        check=_rebuilt,
    ),
    Rule(
        id="concurrent-in-transaction",
        title="What PostgreSQL does beside writers stands in no transaction.",
        safe="Write atomic = False into the class Migration, and let it do nothing else.",
        check=_in_transaction,
    ),
    Rule(
        id="concurrent-if-not-exists",
        title="An invalid index is never taken for a good one.",
        safe="Leave IF NOT EXISTS out: a run of Accord looks for what a killed build left, and drops it.",
        check=_hides,
    ),
    Rule(
        id="index-under-lock",
        title="No index is built while its table is locked by what came before.",
        safe="Put the index into a migration of its own.",
        check=_after_lock,
        severity=Severity.WARNING,
    ),
)
