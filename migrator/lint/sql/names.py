"""Names, types and expressions of the parser's tree, as acts have them."""

from __future__ import annotations

from typing import Any

_TYPES = {
    "int2": "smallint", "int4": "integer", "int8": "bigint", "bool": "boolean", "bpchar": "char",
    "float4": "real", "float8": "double precision",
}  # fmt: skip
_EVEN = frozenset({"now", "statement_timestamp", "transaction_timestamp", "lower", "upper", "concat"})
"""Functions that give every row of a statement the same."""


def table(relation: Any) -> str:
    """Return the name of a table."""
    if relation is None:
        return ""
    return f"{relation.schemaname}.{relation.relname}" if relation.schemaname else str(relation.relname)


def dotted(parts: Any) -> str:
    """Return a name that the parser keeps in parts."""
    return ".".join(str(part.sval) for part in parts or ())


def type_of(name: Any) -> str:
    """Return a type as `pg_type` has it for people, with its size."""
    if name is None:
        return ""
    base = str(name.names[-1].sval)
    sizes = [str(one.val.ival) for one in name.typmods or () if hasattr(getattr(one, "val", None), "ival")]
    array = "[]" * len(name.arrayBounds or ())
    return f"{_TYPES.get(base, base)}{'(' + ','.join(sizes) + ')' if sizes else ''}{array}"


def default_of(node: Any) -> str:
    """Return a default, in words that `is_constant` of foretelling reads."""
    kind = type(node).__name__
    if kind == "A_Const":
        return "" if node.isnull else "'a literal'"
    if kind == "TypeCast":
        return default_of(node.arg)
    if kind == "SQLValueFunction":
        return "now()"
    if kind == "FuncCall" and str(node.funcname[-1].sval) in _EVEN:
        return "now()"
    if kind == "A_ArrayExpr" and all(type(one).__name__ == "A_Const" for one in node.elements or ()):
        return "'a literal'"
    return "random()"


def says(parameters: Any, word: str) -> bool:
    """Return whether a list of options holds a word."""
    return any(str(one.defname) == word for one in parameters or ())


def is_cascade(node: Any) -> bool:
    """Return whether a statement takes along what depends on it."""
    return getattr(getattr(node, "behavior", None), "name", "") == "DROP_CASCADE"
