"""What stands in one transaction, and whether there is a way back."""

from __future__ import annotations

from collections.abc import Iterator

from migrator.foretelling.acts import Kind
from migrator.foretelling.locks import LockMode
from migrator.lint.finding import Severity
from migrator.lint.rule import Found, Rule, about
from migrator.lint.subject import Sight, Subject

_ROWS = (Kind.UPDATE, Kind.ROWS)


def _locked(subject: Subject) -> list[Sight]:
    """Return what keeps writers of standing tables out until the migration's one transaction ends."""
    if not subject.atomic:
        return []
    return [
        one for one in subject.sights if not (one.fresh or one.eased) and one.burden.mode >= LockMode.SHARE
    ]


def _mixed(subject: Subject) -> Iterator[Found]:
    locked = _locked(subject)
    writing = [one.spot for one in subject.functions if one.forwards]
    writing += [one.spot for one in subject.standing(*_ROWS)]
    if locked and writing:
        first = locked[0]
        text = (
            f"Rows are written in the transaction that locks {first.act.table}, so that "
            "everybody waits for all of them."
        )
        yield Found(text=text, spot=writing[0], table=first.act.table, burden=first.burden)


def _several(subject: Subject) -> Iterator[Found]:
    locked = {one.act.table: one for one in reversed(_locked(subject))}
    if len(locked) > 1:
        *_, last = reversed(locked.values())
        tables = ", ".join(sorted(locked))
        yield about(
            last,
            f"One transaction locks several tables ({tables}): code that takes them in another "
            "order deadlocks.",
        )


def _control(subject: Subject) -> Iterator[Found]:
    for sight in subject.sights:
        if sight.act.kind is Kind.TRANSACTION:
            yield about(
                sight,
                "It begins or ends a transaction by hand, under the feet of whoever runs the migration.",
            )


def _enum(subject: Subject) -> Iterator[Found]:
    added = [one for one in subject.sights if one.act.kind is Kind.ENUM_VALUE and one.in_transaction]
    if added and len({one.number for one in subject.sights} | {one.number for one in subject.functions}) > 1:
        yield about(
            added[0], f"A new value of {added[0].act.name} can't be used in the transaction that adds it."
        )


def _one_way(subject: Subject) -> Iterator[Found]:
    if not subject.explained:
        for spot in subject.one_way:
            yield Found(text=f"“{spot.what}” has no way back, and nothing says why.", spot=spot)


def _unseen(subject: Subject) -> Iterator[Found]:
    for unseen in subject.unseen:
        yield Found(text=f"Nobody looked at this: {unseen.why}.", spot=unseen.spot)


RULES = (
    Rule(
        id="rows-under-lock",
        title="No rows are written while a table is locked.",
        safe="Put changes of rows and changes of shape into migrations of their own.",
        check=_mixed,
    ),
    Rule(
        id="several-tables-locked",
        title="One transaction locks one table.",
        safe="Make a migration for each table.",
        check=_several,
        severity=Severity.WARNING,
    ),
    Rule(
        id="transaction-by-hand",
        title="Transactions are left to whoever runs the migration.",
        safe="Take BEGIN, COMMIT and ROLLBACK out; atomic = False where there may be none.",
        check=_control,
    ),
    Rule(
        id="enum-value-in-transaction",
        title="A new value of an enum is committed before it is used.",
        safe="Add the value in a migration of its own.",
        check=_enum,
    ),
    Rule(
        id="no-way-back",
        title="A migration has a way back, or says why there is none.",
        safe='Write the reverse (reverse_code, reverse_sql), or irreversible = "why" into the class.',
        check=_one_way,
        severity=Severity.WARNING,
    ),
    Rule(
        id="not-looked-at",
        title="What nobody can look at is told, and never taken for good.",
        safe="Look at it with another person, and waive this where it is good.",
        check=_unseen,
        severity=Severity.WARNING,
    ),
)
