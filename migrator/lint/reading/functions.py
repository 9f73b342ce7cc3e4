"""The syntax tree of a Python function that a migration runs, wherever it is written."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from migrator.lint.subject import Function, Spot, Unseen


def read(code: Callable[..., Any], number: int, spot: Spot, *, forwards: bool) -> Function | Unseen:
    """
    Find a function's syntax tree.

    Args:
        code: The function.
        number: Which operation runs it.
        spot: Where that stands, for functions of other files.
        forwards: Whether it is the way forward.
    """
    compiled = getattr(inspect.unwrap(code), "__code__", None)
    if compiled is None:
        return Unseen(spot=spot, why=f"{_named(code)} is no plain function")
    node = _node(compiled.co_filename, compiled.co_name, compiled.co_firstlineno)
    if node is None:
        return Unseen(spot=spot, why=f"the source of {_named(code)} can't be read")
    return Function(node=node, spot=spot, number=number, forwards=forwards)


def sent_by(function: Function) -> Iterator[tuple[int, tuple[str, object]]]:
    """Yield SQL that a function hands to `execute`, written out: its line, and whether values come along."""
    for node in function.nodes.of(ast.Call):
        first = node.args[0] if node.args else None
        sends = isinstance(node.func, ast.Attribute) and node.func.attr == "execute"
        if sends and isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield node.lineno, (first.value, len(node.args) > 1 or bool(node.keywords))


def _named(code: Callable[..., Any]) -> str:
    return str(getattr(code, "__qualname__", type(code).__name__))


def _node(filename: str, name: str, line: int) -> ast.FunctionDef | ast.Lambda | None:
    for node in ast.walk(parsed(filename)):
        if isinstance(node, ast.Lambda) and name == "<lambda>" and node.lineno == line:
            return node
        if isinstance(node, ast.FunctionDef) and node.name == name and _begins(node) == line:
            return node
    return None


def _begins(node: ast.FunctionDef) -> int:
    return min([node.lineno, *(one.lineno for one in node.decorator_list)])


def parsed(filename: str) -> ast.Module:
    """Return a file's syntax tree; an empty one where it can't be read."""
    try:
        return tree_of(Path(filename).read_text(encoding="utf-8"))
    except (ValueError, OSError):
        return tree_of("")


@lru_cache(maxsize=256)
def tree_of(text: str) -> ast.Module:
    """Return the syntax tree of a text, the same one for a while; an empty one where it can't be read."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):
        return ast.Module(body=[], type_ignores=[])
