"""What a call of Alembic is given: names, columns, types and defaults, by their syntax alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from migrator.foretelling.acts import Act, Kind

_TYPES = {
    "Integer": "integer", "INTEGER": "integer", "BigInteger": "bigint", "BIGINT": "bigint",
    "SmallInteger": "smallint", "SMALLINT": "smallint", "String": "varchar", "VARCHAR": "varchar",
    "Unicode": "varchar", "Text": "text", "TEXT": "text", "UnicodeText": "text", "Numeric": "numeric",
    "NUMERIC": "numeric", "Boolean": "boolean", "Date": "date", "DateTime": "timestamp",
    "TIMESTAMP": "timestamp", "JSON": "json", "JSONB": "jsonb", "CHAR": "char", "Uuid": "uuid",
    "UUID": "uuid",
}  # fmt: skip
_ASKED = object()


@dataclass(frozen=True)
class Arguments:
    """
    What a call is given.

    Attributes:
        positional: Without names.
        named: With names.
    """

    positional: Sequence[ast.expr]
    named: Sequence[ast.keyword]

    def find(self, name: str) -> ast.expr | None:
        """Return what is given by a name."""
        return next((one.value for one in self.named if one.arg == name), None)

    def says(self, name: str) -> object:
        """Return the value that is given by a name, where it is written out; else None."""
        found = self.find(name)
        return found.value if isinstance(found, ast.Constant) else None

    def text(self, number: int, name: str, otherwise: object = _ASKED) -> str:
        """
        Return a text that is given by place or by name; `op.f` around it is taken off.

        Raises:
            LookupError: It is computed, or isn't there and nothing stands for it.
        """
        placed = self.positional[number] if 0 <= number < len(self.positional) else None
        found = _bare(self.find(name) or placed)
        if isinstance(found, ast.Constant) and (found.value is None or isinstance(found.value, str)):
            return found.value or ""
        if found is None and isinstance(otherwise, str):
            return otherwise
        raise LookupError(name)

    def names(self, number: int, name: str) -> tuple[str, ...]:
        """Return a list of texts that is given by place or by name; nothing where one is computed."""
        placed = self.positional[number] if number < len(self.positional) else None
        found = self.find(name) or placed
        return _texts(found.elts if isinstance(found, ast.List | ast.Tuple) else ())

    def texts(self) -> tuple[str, ...]:
        """Return all texts that are given without names; nothing where one is computed."""
        return _texts(self.positional)

    def columns(self) -> Iterator[ast.Call]:
        """Yield the columns that are given."""
        yield from (call for _, call in self.calls("Column"))

    def calls(self, *names: str) -> Iterator[tuple[str, ast.Call]]:
        """Yield the calls of some names that are given."""
        for one in (*self.positional, *(named.value for named in self.named)):
            if isinstance(one, ast.Call) and (name := named_by(one.func)) in names:
                yield name, one


def _texts(nodes: Sequence[ast.expr]) -> tuple[str, ...]:
    found = [one.value for one in nodes if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return tuple(found) if len(found) == len(nodes) else ()


def _bare(node: ast.expr | None) -> ast.expr | None:
    if isinstance(node, ast.Call) and named_by(node.func) in ("f", "quoted_name") and node.args:
        return node.args[0]
    return node


def named_by(node: ast.expr) -> str:
    """Return the last part of a dotted name."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def column_acts(table: str, call: ast.Call) -> Iterator[Act]:
    """
    Read a column.

    Raises:
        LookupError: Its name is computed.
    """
    given = Arguments(call.args, call.keywords)
    parts = [one for one in call.args[1:] if isinstance(one, ast.Call)]
    words = [named_by(one.func) for one in parts]
    kind = type_of(call.args[1]) if len(call.args) > 1 else type_of(given.find("type_"))
    is_key = given.says("primary_key") is True
    default = default_of(given.find("server_default"))
    column = given.text(0, "name")
    yield Act(
        kind=Kind.ADD_COLUMN,
        table=table,
        columns=(column,),
        type=kind,
        default=default,
        not_null=is_key or given.says("nullable") is False,
        unique=is_key or given.says("unique") is True,
        generated="Identity" in words or _is_stored(parts),
    )
    if "ForeignKey" in words:
        target = Arguments(parts[words.index("ForeignKey")].args, ()).text(0, "column")
        yield Act(
            kind=Kind.FOREIGN_KEY,
            table=table,
            columns=(column,),
            target=target.rpartition(".")[0],
            valid=bool(default),
        )
    if given.says("index") is True:
        yield Act(kind=Kind.INDEX, table=table, columns=(column,))


def _is_stored(parts: Sequence[ast.Call]) -> bool:
    computed = [one for one in parts if named_by(one.func) == "Computed"]
    return any(Arguments(one.args, one.keywords).says("persisted") is not False for one in computed)


def type_of(node: ast.expr | None) -> str:
    """Return a type as PostgreSQL writes it; empty where it isn't known."""
    call = node if isinstance(node, ast.Call) else None
    name = named_by(call.func if call is not None else node) if node is not None else ""
    base = _TYPES.get(name, "")
    if (
        base == "timestamp"
        and call is not None
        and Arguments(call.args, call.keywords).says("timezone") is True
    ):
        return "timestamp with time zone"
    given = (*call.args, *(one.value for one in call.keywords if one.arg != "asdecimal")) if call else ()
    sizes = [str(one.value) for one in given if isinstance(one, ast.Constant) and type(one.value) is int]
    return f"{base}({','.join(sizes)})" if base and sizes else base


def default_of(node: ast.expr | None) -> str:
    """Return a default of the server, in words that `is_constant` of foretelling reads."""
    if node is None or (isinstance(node, ast.Constant) and node.value is None):
        return ""
    if isinstance(node, ast.Constant):
        return "'a literal'"
    if isinstance(node, ast.Call):
        return _called(node)
    return "random()"


def _called(node: ast.Call) -> str:
    word = named_by(node.func)
    first = node.args[0] if node.args else None
    if word == "text" and isinstance(first, ast.Constant):
        return str(first.value)
    if word in ("true", "false", "null"):
        return word
    return f"{word}()"
