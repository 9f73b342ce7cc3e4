"""Constraints are proved for old rows apart from being asked of new ones."""

from __future__ import annotations

from collections.abc import Iterator

from migrator.foretelling.acts import Kind
from migrator.lint.finding import Severity
from migrator.lint.rule import Found, Rule, about
from migrator.lint.subject import Subject


def _check(subject: Subject) -> Iterator[Found]:
    for sight in subject.standing(Kind.CHECK):
        if sight.act.valid:
            yield about(
                sight, f"Every row of {sight.act.table} is read for the CHECK while readers and writers wait."
            )


def _foreign_key(subject: Subject) -> Iterator[Found]:
    for sight in subject.standing(Kind.FOREIGN_KEY):
        if sight.act.valid:
            act = sight.act
            yield about(
                sight,
                f"Every row of {act.table} is looked up in {act.target or 'its target'} while "
                "writers of both wait.",
            )


def _together(subject: Subject) -> Iterator[Found]:
    made = {sight.act.table for sight in subject.sights if sight.act.kind is Kind.CREATE_TABLE}
    keys = [
        sight
        for sight in subject.standing(Kind.FOREIGN_KEY)
        if sight.in_transaction and not sight.eased and sight.act.target not in made
    ]
    targets = sorted({sight.act.target for sight in keys if sight.act.target})
    if len(targets) > 1 and subject.atomic:
        yield about(
            keys[-1],
            f"Foreign keys to several tables ({', '.join(targets)}) come in one transaction, which locks "
            "all of them until it ends.",
        )


def _unique(subject: Subject) -> Iterator[Found]:
    for sight in subject.standing(Kind.UNIQUE):
        if not sight.act.not_null:
            yield about(
                sight, f"The index of a UNIQUE on {sight.act.table} is built while readers and writers wait."
            )


def _primary(subject: Subject) -> Iterator[Found]:
    for sight in subject.standing(Kind.UNIQUE):
        if sight.act.not_null:
            yield about(
                sight,
                f"The index of a primary key on {sight.act.table} is built while readers and writers wait.",
            )


def _exclusion(subject: Subject) -> Iterator[Found]:
    for sight in subject.standing(Kind.EXCLUDE):
        yield about(
            sight, f"The index of an exclusion on {sight.act.table} is built while readers and writers wait."
        )


def _validated(subject: Subject) -> Iterator[Found]:
    added = {sight.act.name: sight for sight in subject.sights if not sight.act.valid and sight.act.name}
    for sight in subject.standing(Kind.VALIDATE):
        if sight.act.name in added and subject.atomic:
            yield about(
                sight, f"{sight.act.name} is validated under the lock of its own adding, in one transaction."
            )


RULES = (
    Rule(
        id="check-validating",
        title="A CHECK is proved for old rows without keeping anybody out.",
        safe=(
            "AddConstraintNotValid now, ValidateConstraint in a later migration (SQL: NOT "
            "VALID, then VALIDATE CONSTRAINT)."
        ),
        check=_check,
    ),
    Rule(
        id="foreign-key-validating",
        title="A foreign key is proved for old rows without keeping writers out.",
        safe=(
            "RunSQL with ADD CONSTRAINT ... FOREIGN KEY ... NOT VALID beside the state, "
            "VALIDATE CONSTRAINT in a later migration."
        ),
        check=_foreign_key,
    ),
    Rule(
        id="foreign-keys-together",
        title="One transaction adds foreign keys to one table.",
        safe="Make a migration for each.",
        check=_together,
        severity=Severity.WARNING,
    ),
    Rule(
        id="unique-building",
        title="The index of a UNIQUE is built beside writers.",
        safe=(
            "Build a unique index CONCURRENTLY, then ADD CONSTRAINT ... UNIQUE USING INDEX in "
            "a later migration."
        ),
        check=_unique,
    ),
    Rule(
        id="primary-key-building",
        title="The index of a primary key is built beside writers.",
        safe=(
            "Prove NOT NULL, build a unique index CONCURRENTLY, then ADD CONSTRAINT ... "
            "PRIMARY KEY USING INDEX."
        ),
        check=_primary,
    ),
    Rule(
        id="exclusion-building",
        title="An exclusion comes with a new table.",
        safe=(
            "There is no way beside writers: make a new table with it, mirror the old one "
            "into it, and swap their names."
        ),
        check=_exclusion,
    ),
    Rule(
        id="validated-at-once",
        title="Old rows are looked at after the lock of adding a constraint is gone.",
        safe="Put ValidateConstraint into a migration of its own.",
        check=_validated,
    ),
)
