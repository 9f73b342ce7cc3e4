"""Statements as acts: what each does to which table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from migrator.foretelling.acts import ANALYZED, Act, Kind
from migrator.lint.sql.alter import alter_table, column, constraint
from migrator.lint.sql.names import dotted, is_cascade, says, table


def acts_of(node: Any) -> Iterator[Act] | None:
    """Return what a statement does; None where nobody knows."""
    word = type(node).__name__
    if word in _HARMLESS:
        return iter([Act(kind=Kind.HARMLESS)])
    reader = _READERS.get(word)
    return reader(node) if reader is not None else None


def _create(node: Any) -> Iterator[Act]:
    name = table(node.relation)
    yield Act(kind=Kind.CREATE_TABLE, table=name, name=name)
    if node.partbound is not None:
        yield Act(kind=Kind.PARTITION, table=table(node.inhRelations[0]), name=name)
    for element in node.tableElts or ():
        if type(element).__name__ == "ColumnDef":
            yield from (replace(act, valid=False) for act in column(name, element))
        elif type(element).__name__ == "Constraint":
            yield from (replace(act, valid=False) for act in constraint(name, element))


def _create_as(node: Any) -> Iterator[Act]:
    name = table(node.into.rel)
    yield Act(kind=Kind.CREATE_TABLE, table=name, name=name)


def _drop(node: Any) -> Iterator[Act]:
    kind = {
        "OBJECT_TABLE": Kind.DROP_TABLE,
        "OBJECT_INDEX": Kind.DROP_INDEX,
        "OBJECT_SCHEMA": Kind.DROP_SCHEMA,
    }.get(node.removeType.name, Kind.DEFINES)
    for one in node.objects:
        name = str(one.sval) if hasattr(one, "sval") else dotted(one) if isinstance(one, tuple) else ""
        yield Act(
            kind=kind,
            table=name if kind is Kind.DROP_TABLE else "",
            name=name,
            concurrently=bool(node.concurrent),
            cascade=is_cascade(node),
        )


def _drop_database(node: Any) -> Iterator[Act]:
    yield Act(kind=Kind.DROP_SCHEMA, name=str(node.dbname))


def _index(node: Any) -> Iterator[Act]:
    if node.relation is not None and not node.relation.inh:
        # ON ONLY: of a partitioned table, whose partitions get theirs one by one.
        yield Act(kind=Kind.HARMLESS)
        return
    yield Act(
        kind=Kind.INDEX,
        table=table(node.relation),
        name=str(node.idxname or ""),
        unique=bool(node.unique),
        concurrently=bool(node.concurrent),
        lenient=bool(node.if_not_exists),
        columns=tuple(str(one.name or "") for one in node.indexParams or ()),
        expression="expression" if any(not one.name for one in node.indexParams or ()) else "",
        method=str(node.accessMethod or "btree"),
    )


def _reindex(node: Any) -> Iterator[Act]:
    of_table = node.kind.name == "REINDEX_OBJECT_TABLE"
    name = table(node.relation) or str(node.name or "")
    beside = says(node.params, "concurrently")
    yield Act(kind=Kind.REINDEX, table=name if of_table else "", name=name, concurrently=beside)


def _cluster(node: Any) -> Iterator[Act]:
    yield Act(kind=Kind.REWRITE, table=table(node.relation))


def _vacuum(node: Any) -> Iterator[Act]:
    whole = bool(node.is_vacuumcmd) and says(node.options, "full")
    for one in node.rels or ():
        yield Act(kind=Kind.REWRITE, table=table(one.relation)) if whole else Act(kind=Kind.HARMLESS)
    if not node.is_vacuumcmd or says(node.options, "analyze"):
        yield Act(kind=Kind.HARMLESS, name=ANALYZED)


def _truncate(node: Any) -> Iterator[Act]:
    for one in node.relations:
        yield Act(kind=Kind.TRUNCATE, table=table(one), cascade=is_cascade(node))


def _rename(node: Any) -> Iterator[Act]:
    word = node.renameType.name
    name = table(node.relation)
    if word == "OBJECT_TABLE":
        yield Act(kind=Kind.RENAME, table=name, target=str(node.newname))
    elif word == "OBJECT_COLUMN" and node.relationType.name == "OBJECT_TABLE":
        yield Act(kind=Kind.RENAME, table=name, columns=(str(node.subname), str(node.newname)))
    elif word == "OBJECT_SCHEMA":
        yield Act(kind=Kind.RENAME, table=str(node.subname), target=str(node.newname))
    else:
        yield Act(kind=Kind.HARMLESS)


def _enum(node: Any) -> Iterator[Act]:
    name = dotted(node.typeName)
    if node.oldVal:
        yield Act(kind=Kind.RENAME, table=name, columns=(str(node.oldVal), str(node.newVal)))
    else:
        yield Act(kind=Kind.ENUM_VALUE, name=name)


def _update(node: Any) -> Iterator[Act]:
    columns = tuple(str(one.name) for one in node.targetList or ())
    where = "WHERE" if node.whereClause is not None else ""
    yield Act(kind=Kind.UPDATE, table=table(node.relation), columns=columns, where=where)


def _delete(node: Any) -> Iterator[Act]:
    where = "WHERE" if node.whereClause is not None else ""
    yield Act(kind=Kind.ROWS, table=table(node.relation), name="delete", where=where)


def _insert(node: Any) -> Iterator[Act]:
    yield Act(kind=Kind.ROWS, table=table(node.relation), name="insert", where="INSERT")


def _copy(node: Any) -> Iterator[Act]:
    if node.is_from:
        yield Act(kind=Kind.ROWS, table=table(node.relation), name="copy", where="COPY")


def _transaction(node: Any) -> Iterator[Act]:
    yield Act(kind=Kind.TRANSACTION, name=node.kind.name.removeprefix("TRANS_STMT_"))


def _extension(node: Any) -> Iterator[Act]:
    yield Act(kind=Kind.EXTENSION, name=str(node.extname), lenient=bool(node.if_not_exists))


_READERS: Mapping[str, Callable[[Any], Iterator[Act]]] = {
    "AlterEnumStmt": _enum,
    "AlterTableStmt": alter_table,
    "ClusterStmt": _cluster,
    "CopyStmt": _copy,
    "CreateExtensionStmt": _extension,
    "CreateStmt": _create,
    "CreateTableAsStmt": _create_as,
    "DeleteStmt": _delete,
    "DropStmt": _drop,
    "DropdbStmt": _drop_database,
    "IndexStmt": _index,
    "InsertStmt": _insert,
    "ReindexStmt": _reindex,
    "RenameStmt": _rename,
    "TransactionStmt": _transaction,
    "TruncateStmt": _truncate,
    "UpdateStmt": _update,
    "VacuumStmt": _vacuum,
}
_HARMLESS = frozenset({
    "AlterDefaultPrivilegesStmt", "AlterDomainStmt", "AlterFunctionStmt", "AlterObjectSchemaStmt",
    "AlterOwnerStmt", "AlterPolicyStmt", "AlterRoleStmt", "AlterSeqStmt", "CommentStmt", "CompositeTypeStmt",
    "CreateDomainStmt", "CreateEnumStmt", "CreateFunctionStmt", "CreatePolicyStmt", "CreateRangeStmt",
    "CreateRoleStmt", "CreateSchemaStmt", "CreateSeqStmt", "CreateStatsStmt", "CreateTrigStmt", "DefineStmt",
    "GrantRoleStmt", "GrantStmt", "LockStmt", "RuleStmt", "SelectStmt", "VariableSetStmt", "ViewStmt",
})  # fmt: skip
"""Statements that change no row and no table's shape."""
