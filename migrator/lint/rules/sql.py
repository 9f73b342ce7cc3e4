"""What only SQL can do."""

from __future__ import annotations

from collections.abc import Iterator

from migrator.foretelling.acts import Kind
from migrator.lint.finding import Severity
from migrator.lint.rule import Found, Rule, about
from migrator.lint.subject import Subject


def _rewritten(subject: Subject) -> Iterator[Found]:
    for sight in subject.standing(Kind.REWRITE):
        yield about(sight, f"{sight.act.table} is written anew as it is, while readers and writers wait.")


def _attached(subject: Subject) -> Iterator[Found]:
    for sight in subject.standing(Kind.ATTACH):
        act = sight.act
        yield about(sight, f"Every row of {act.table} is read, unless a CHECK says what is asked for.")


def _detached(subject: Subject) -> Iterator[Found]:
    for sight in subject.standing(Kind.DETACH):
        if not sight.act.concurrently:
            yield about(sight, f"Detaching a partition locks {sight.act.table} with all its partitions.")


def _partition(subject: Subject) -> Iterator[Found]:
    for sight in subject.standing(Kind.PARTITION):
        yield about(sight, f"Made as a partition, {sight.act.name} locks {sight.act.table} with all others.")


def _unbounded(subject: Subject) -> Iterator[Found]:
    for sight in subject.standing(Kind.UPDATE, Kind.ROWS):
        if not sight.act.where:
            yield about(
                sight,
                f"One statement writes all rows of {sight.act.table or 'a table'} and keeps them locked.",
            )


def _cut(subject: Subject) -> Iterator[Found]:
    for cut in subject.cut_names:
        text = f"PostgreSQL keeps 63 bytes of the name {cut.name}, and forgets the rest."
        yield Found(text=text, spot=cut.spot)


RULES = (
    Rule(
        id="table-rewritten",
        title="No table is written anew as it is.",
        safe="pg_repack, or a new table that is filled in batches and takes the old one's name.",
        check=_rewritten,
    ),
    Rule(
        id="partition-attached",
        title="What a partition must hold is proved before it is attached.",
        safe=(
            "ADD CONSTRAINT ... CHECK ... NOT VALID on the table, VALIDATE CONSTRAINT, then "
            "ATTACH PARTITION, which reads no row."
        ),
        check=_attached,
        severity=Severity.WARNING,
    ),
    Rule(
        id="partition-detached",
        title="A partition is detached beside readers and writers.",
        safe="DETACH PARTITION ... CONCURRENTLY in a migration of its own with atomic = False.",
        check=_detached,
    ),
    Rule(
        id="partition-made",
        title="A partition comes without a lock on its parent.",
        safe="CREATE TABLE ... (LIKE parent), then ATTACH PARTITION.",
        check=_partition,
    ),
    Rule(
        id="rows-all-written-by-sql",
        title="Statements write bounded batches of rows.",
        safe=(
            "Go through the primary key in batches that commit one by one, in a migration "
            "with atomic = False: Backfill of migrator.operations does."
        ),
        check=_unbounded,
    ),
    Rule(
        id="name-too-long",
        title="A name is kept whole.",
        safe="Give it a name of at most 63 bytes.",
        check=_cut,
    ),
)
