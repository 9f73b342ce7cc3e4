"""ALTER TABLE, action by action."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from migrator.foretelling.acts import Act, Kind
from migrator.lint.sql.names import default_of, is_cascade, table, type_of

_LIGHT = (
    "Statistics",
    "Options",
    "Storage",
    "Compression",
    "ClusterOn",
    "Trig",
    "Rule",
    "Inherit",
    "Comment",
)
"""What takes a lock that keeps nobody out, or changes no table."""


def alter_table(node: Any) -> Iterator[Act]:
    """Read a statement that alters a table; of views, indexes and sequences nothing is told."""
    if node.objtype.name != "OBJECT_TABLE":
        yield Act(kind=Kind.HARMLESS)
        return
    name = table(node.relation)
    for command in node.cmds:
        yield from _action(name, command)


def _action(name: str, command: Any) -> Iterator[Act]:
    word = command.subtype.name.removeprefix("AT_")
    reader = _ACTIONS.get(word)
    if reader is not None:
        yield from (replace(act, cascade=is_cascade(command)) for act in reader(name, command))
    elif any(light in word for light in _LIGHT):
        yield Act(kind=Kind.HARMLESS)
    else:
        yield Act(kind=Kind.HARMLESS, table=name)


def _add_column(name: str, command: Any) -> Iterator[Act]:
    yield from column(name, command.def_)


def column(name: str, definition: Any) -> Iterator[Act]:
    """Read the definition of a column: the column, and the foreign key that may come with it."""
    act = Act(
        kind=Kind.ADD_COLUMN,
        table=name,
        columns=(str(definition.colname),),
        type=type_of(definition.typeName),
    )
    target = None
    for constraint in definition.constraints or ():
        word = constraint.contype.name.removeprefix("CONSTR_")
        act = replace(act, **_CLAUSES.get(word, lambda _: {})(constraint))
        target = constraint if word == "FOREIGN" else target
    yield act
    if target is not None:
        # Where all rows get NULL there is nothing to look up.
        filled = bool(act.default or act.generated)
        yield replace(_foreign_key(name, target), columns=act.columns, valid=filled)


_CLAUSES: Mapping[str, Callable[[Any], Mapping[str, Any]]] = {
    "NOTNULL": lambda _: {"not_null": True},
    "DEFAULT": lambda one: {"default": default_of(one.raw_expr)},
    "PRIMARY": lambda _: {"not_null": True, "unique": True},
    "UNIQUE": lambda _: {"unique": True},
    "CHECK": lambda _: {"expression": "CHECK"},
    "IDENTITY": lambda _: {"generated": True},
    "GENERATED": lambda one: {"generated": one.generated_kind != "v"},
}


def _add_constraint(name: str, command: Any) -> Iterator[Act]:
    yield from constraint(name, command.def_)


def constraint(name: str, definition: Any) -> Iterator[Act]:
    """Read the definition of a constraint that stands apart from columns."""
    named = str(definition.conname or "")
    if definition.indexname:
        yield Act(kind=Kind.HARMLESS, table=name, name=named)
        return
    word = definition.contype.name.removeprefix("CONSTR_")
    reader = _CONSTRAINTS.get(word)
    act = reader(name, definition) if reader else Act(kind=Kind.HARMLESS, table=name)
    yield replace(act, name=named)


def _unique(name: str, constraint: Any) -> Act:
    return Act(kind=Kind.UNIQUE, table=name, columns=_keys(constraint))


def _primary(name: str, constraint: Any) -> Act:
    return Act(kind=Kind.UNIQUE, table=name, columns=_keys(constraint), not_null=True)


def _check(name: str, constraint: Any) -> Act:
    return Act(kind=Kind.CHECK, table=name, valid=not constraint.skip_validation)


def _foreign_key(name: str, constraint: Any) -> Act:
    return Act(
        kind=Kind.FOREIGN_KEY,
        table=name,
        columns=tuple(str(one.sval) for one in constraint.fk_attrs or ()),
        target=table(constraint.pktable),
        valid=not constraint.skip_validation,
    )


def _not_null(name: str, constraint: Any) -> Act:
    kind = Kind.HARMLESS if constraint.skip_validation else Kind.NOT_NULL
    return Act(kind=kind, table=name, columns=_keys(constraint))


def _keys(constraint: Any) -> tuple[str, ...]:
    return tuple(str(one.sval) for one in constraint.keys or ())


_CONSTRAINTS: Mapping[str, Callable[[str, Any], Act]] = {
    "UNIQUE": _unique,
    "PRIMARY": _primary,
    "CHECK": _check,
    "FOREIGN": _foreign_key,
    "NOTNULL": _not_null,
    "EXCLUSION": lambda name, _: Act(kind=Kind.EXCLUDE, table=name),
}


def _type(name: str, command: Any) -> Iterator[Act]:
    yield Act(kind=Kind.TYPE, table=name, columns=(str(command.name),), type=type_of(command.def_.typeName))


def _of_column(kind: Kind) -> Callable[[str, Any], Iterator[Act]]:
    return lambda name, command: iter([Act(kind=kind, table=name, columns=(str(command.name),))])


def _drop_constraint(name: str, command: Any) -> Iterator[Act]:
    yield Act(kind=Kind.DROP_INDEX, table=name, name=str(command.name), valid=False)


def _attach(name: str, command: Any) -> Iterator[Act]:
    yield Act(kind=Kind.ATTACH, table=table(command.def_.name), target=name)


def _detach(name: str, command: Any) -> Iterator[Act]:
    yield Act(
        kind=Kind.DETACH,
        table=name,
        target=table(command.def_.name),
        concurrently=bool(command.def_.concurrent),
    )


def _rewrite(name: str, _command: Any) -> Iterator[Act]:
    yield Act(kind=Kind.REWRITE, table=name)


_ACTIONS: Mapping[str, Callable[[str, Any], Iterator[Act]]] = {
    "AddColumn": _add_column,
    "DropColumn": _of_column(Kind.DROP_COLUMN),
    "SetNotNull": _of_column(Kind.NOT_NULL),
    "DropNotNull": _of_column(Kind.NULLABLE),
    "ColumnDefault": _of_column(Kind.DEFAULT),
    "AlterColumnType": _type,
    "AddConstraint": _add_constraint,
    "ValidateConstraint": lambda name, one: iter([Act(kind=Kind.VALIDATE, table=name, name=str(one.name))]),
    "DropConstraint": _drop_constraint,
    "AttachPartition": _attach,
    "DetachPartition": _detach,
    "SetTableSpace": _rewrite,
    "SetAccessMethod": _rewrite,
    "SetLogged": _rewrite,
    "SetUnLogged": _rewrite,
}
