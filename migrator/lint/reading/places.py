"""Where things stand in the file of a Django migration. Pure."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from migrator.lint.subject import Spot


class Places:
    """
    Finds operations of a file by their number.

    Args:
        tree: The file.
    """

    def __init__(self, tree: ast.Module) -> None:
        self._listed = _assigned(tree, "operations")
        self._elements = _elements(self._listed)

    def of(self, path: Sequence[int], count: int, what: str) -> Spot:
        """
        Return where an operation stands; the whole list where its elements can't be told.

        Args:
            path: Its number, and within wrappers of Django's the number inside.
            count: How many operations the migration has.
            what: What it is, for people.
        """
        if len(self._elements) != count:
            return _spot(self._listed, what)
        node: ast.expr = self._elements[path[0]]
        for number in path[1:]:
            inner = _elements(_keyword(node, "database_operations"))
            if number >= len(inner):
                break
            node = inner[number]
        return _spot(node, what)


def _spot(node: ast.expr | None, what: str) -> Spot:
    if node is None:
        return Spot(what=what)
    return Spot(line=node.lineno, end=node.end_lineno or node.lineno, what=what)


def _assigned(tree: ast.Module, name: str) -> ast.expr | None:
    bodies = (node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Migration")
    for body in bodies:
        for statement in body:
            targets = (
                statement.targets
                if isinstance(statement, ast.Assign)
                else [getattr(statement, "target", None)]
            )
            if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                value: ast.expr | None = getattr(statement, "value", None)
                return value
    return None


def _elements(node: ast.expr | None) -> Sequence[ast.expr]:
    if not isinstance(node, ast.List | ast.Tuple) or any(isinstance(one, ast.Starred) for one in node.elts):
        return ()
    return node.elts


def _keyword(node: ast.expr, name: str) -> ast.expr | None:
    keywords = node.keywords if isinstance(node, ast.Call) else []
    named = next((one.value for one in keywords if one.arg == name), None)
    first = node.args[0] if isinstance(node, ast.Call) and node.args else None
    return named or first
