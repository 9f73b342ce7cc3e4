"""A syntax tree, walked once: rules ask for nodes of one kind many times."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TypeVar

Node = TypeVar("Node", bound=ast.AST)


class Nodes:
    """
    The nodes of a tree, by kind.

    Args:
        tree: The tree, or any node of it.
    """

    def __init__(self, tree: ast.AST) -> None:
        self._by_kind = _by_kind(tree)

    def of(self, kind: type[Node]) -> Sequence[Node]:
        """Return the nodes of one kind, from the top down."""
        return self._by_kind.get(kind, [])  # type: ignore[return-value]  # keyed by it


def _by_kind(tree: ast.AST) -> Mapping[type, list[ast.AST]]:
    # Written for speed: of a large project there are millions of nodes.
    found: dict[type, list[ast.AST]] = defaultdict(list)
    waiting = [tree]
    for node in waiting:
        found[type(node)].append(node)
        for name in node._fields:
            value = getattr(node, name, None)
            if type(value) is list:
                waiting += [one for one in value if isinstance(one, ast.AST)]
            elif isinstance(value, ast.AST) and name != "ctx":  # whether a name is read or set
                waiting.append(value)
    return found
