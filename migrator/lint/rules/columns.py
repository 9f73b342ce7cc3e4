"""New and changed columns: no table written anew, no row read under a lock, no running code broken."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migrator.foretelling.acts import Kind
from migrator.foretelling.locks import is_constant
from migrator.lint.finding import Severity
from migrator.lint.rule import Found, Rule, about
from migrator.lint.subject import Sight, Subject

_SIZE = re.compile(r"\((\d+)")
_SMALL = ("integer", "int", "int4", "smallint", "int2", "serial", "smallserial")


def _place(sight: Sight) -> str:
    return sight.act.place


def _volatile(subject: Subject) -> Iterator[Found]:
    for sight in subject.standing(Kind.ADD_COLUMN):
        if sight.act.default and not is_constant(sight.act.default):
            yield about(
                sight,
                f"The default of {_place(sight)} may differ from row to row, so that all are written anew.",
            )


def _computed(subject: Subject) -> Iterator[Found]:
    for sight in subject.standing(Kind.ADD_COLUMN):
        if sight.act.generated or sight.act.type.lower().endswith("serial"):
            yield about(
                sight, f"{_place(sight)} is computed or counted for every row, so that all are written anew."
            )


def _required(subject: Subject) -> Iterator[Found]:
    for sight in subject.standing(Kind.ADD_COLUMN):
        act = sight.act
        if act.not_null and not act.default and not act.generated and not act.type.lower().endswith("serial"):
            yield about(
                sight,
                f"{_place(sight)} takes no NULL and has no default in the database: code that "
                "runs now can't insert.",
            )


def _unique(subject: Subject) -> Iterator[Found]:
    for sight in subject.standing(Kind.ADD_COLUMN):
        if sight.act.unique:
            yield about(
                sight,
                f"The index of the unique column {_place(sight)} is built while readers and writers wait.",
            )


def _not_null(subject: Subject) -> Iterator[Found]:
    for sight in subject.standing(Kind.NOT_NULL):
        if not sight.proved:
            yield about(
                sight, f"Every row is read for NULLs in {_place(sight)} while readers and writers wait."
            )


def _type(subject: Subject) -> Iterator[Found]:
    for sight in subject.standing(Kind.TYPE):
        if sight.burden.rewrites:
            change = (
                f"from {sight.old_type} to {sight.act.type}" if sight.old_type else f"to {sight.act.type}"
            )
            yield about(
                sight,
                f"The type of {_place(sight)} changes {change}: the table is written anew while "
                "readers and writers wait.",
            )


def _narrower(subject: Subject) -> Iterator[Found]:
    for sight in subject.standing(Kind.TYPE):
        old, new = _SIZE.search(sight.old_type), _SIZE.search(sight.act.type)
        if new and (int(new[1]) < int(old[1]) if old else sight.old_type in ("text", "varchar")):
            yield about(
                sight, f"{_place(sight)} holds less than before, and code that runs now may write more."
            )


def _small_key(subject: Subject) -> Iterator[Found]:
    for sight in subject.sights:
        act = sight.act
        is_key = act.kind is Kind.ADD_COLUMN and act.unique and act.not_null
        if is_key and act.type.lower().split(" ")[0] in _SMALL:
            yield about(
                sight,
                f"The key {_place(sight)} ends at 2,147,483,647 or before, and making it wider "
                "later writes the table anew.",
            )


def _nullable(subject: Subject) -> Iterator[Found]:
    for sight in subject.standing(Kind.NULLABLE):
        yield about(sight, f"Code that runs now may not expect NULL in {_place(sight)}.")


def _default(subject: Subject) -> Iterator[Found]:
    for sight in subject.standing(Kind.DEFAULT):
        yield about(
            sight, f"The default of {_place(sight)} changes while old and new code insert side by side."
        )


RULES = (
    Rule(
        id="column-volatile-default",
        title="A new column's default is the same for every row.",
        safe="Add the column without it, set the default, fill the old rows in batches.",
        check=_volatile,
    ),
    Rule(
        id="column-computed",
        title="A new column isn't computed or counted for all rows at once.",
        safe="Add a plain column with a trigger or a sequence's default, fill the old rows in batches.",
        check=_computed,
    ),
    Rule(
        id="column-required",
        title="Code that doesn't know a new column can still insert.",
        safe=(
            "Give it db_default (Django drops the default of default= again), or null=True "
            "first and NOT NULL after the deploy."
        ),
        check=_required,
    ),
    Rule(
        id="column-unique",
        title="A new unique column's index is built beside writers.",
        safe=(
            "Add the column alone, then a unique index CONCURRENTLY, then ADD CONSTRAINT ... "
            "UNIQUE USING INDEX."
        ),
        check=_unique,
    ),
    Rule(
        id="column-not-null",
        title="NOT NULL is proved before it is set.",
        safe=(
            "AddConstraintNotValid with a CHECK (column IS NOT NULL), ValidateConstraint in a "
            "later migration, then NOT NULL, which reads no row."
        ),
        check=_not_null,
    ),
    Rule(
        id="column-type",
        title="A change of type writes no table anew.",
        safe=(
            "Add a column of the new type, write both, fill the old rows in batches, read the "
            "new one, drop the old one."
        ),
        check=_type,
    ),
    Rule(
        id="column-narrower",
        title="A column never holds less than running code may write.",
        safe="Deploy code that writes less first, then narrow it in a later release.",
        check=_narrower,
        severity=Severity.WARNING,
    ),
    Rule(
        id="column-small-key",
        title="A key doesn't run out of numbers.",
        safe="Use BigAutoField (SQL: bigint).",
        check=_small_key,
        severity=Severity.WARNING,
    ),
    Rule(
        id="column-nullable",
        title="Readers expect NULL before it comes.",
        safe="Deploy code that reads NULL first.",
        check=_nullable,
        severity=Severity.INFO,
    ),
    Rule(
        id="column-default-changed",
        title="Old and new code agree about a default.",
        safe="Make sure that both can live with rows of the old default and of the new one.",
        check=_default,
        severity=Severity.INFO,
    ),
)
