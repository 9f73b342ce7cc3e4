"""
Checksums of revisions that don't change when only comments or formatting change.

A checksum is `"<algorithm>:<hex>"`. The algorithm's number is part of the value,
so that a later version of the suite can still compare what an older one recorded:
an old algorithm is never removed from :data:`ALGORITHMS`, only superseded.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping

CURRENT = "1"

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
# Fields that hold no meaning of the program, or that only some Python versions fill.
_IGNORED_FIELDS = frozenset({"ctx", "kind", "type_comment", "type_ignores"})


def checksum(source: str, *, algorithm: str = CURRENT) -> str:
    """
    Compute the checksum of a revision's source.

    Args:
        source: Python source text. Text that does not parse is hashed as it is.
        algorithm: Number of the algorithm, a key of :data:`ALGORITHMS`.

    Returns:
        `"<algorithm>:<sha-256 in hex>"`.

    Raises:
        KeyError: The algorithm is unknown.
    """
    normalised = ALGORITHMS[algorithm](source)
    return f"{algorithm}:{hashlib.sha256(normalised.encode()).hexdigest()}"


def same_content(recorded: str, source: str) -> bool:
    """
    Tell whether source still has the recorded checksum, by the algorithm it was recorded with.

    Args:
        recorded: A value that :func:`checksum` gave, perhaps years ago.
        source: The revision's source text of today.

    Returns:
        False also when the recorded algorithm is unknown to this version.
    """
    algorithm = recorded.partition(":")[0]
    return algorithm in ALGORITHMS and checksum(source, algorithm=algorithm) == recorded


def fingerprint(content: bytes) -> str:
    """Hash raw bytes: the cheap first question, before the source is parsed at all."""
    return hashlib.sha256(content).hexdigest()


def digest(value: object) -> str:
    """
    Hash a JSON-able value by its canonical form.

    Args:
        value: Anything that :mod:`json` can write.

    Returns:
        SHA-256 in hex; equal values give equal digests in every process.
    """
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _normalise_syntax_tree(source: str) -> str:
    """
    Algorithm 1: the syntax tree without positions, comments, docstrings and import order.

    `ast.dump` is not used: what it prints differs between Python versions. Here an
    empty or absent field is left out, so a field that a later Python adds changes nothing
    as long as a revision does not use it.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return source
    tree.body = _sort_leading_imports(tree.body)
    return "".join(_write(tree))


def _sort_leading_imports(body: list[ast.stmt]) -> list[ast.stmt]:
    """Order the imports that stand at the top of a module by their text."""
    start = 1 if _opens_with_docstring(body) else 0
    end = start
    while end < len(body) and isinstance(body[end], (ast.Import, ast.ImportFrom)):
        end += 1
    imports = sorted(body[start:end], key=lambda node: "".join(_write(node)))
    return [*body[:start], *imports, *body[end:]]


def _opens_with_docstring(body: list[ast.stmt]) -> bool:
    first = body[0] if body else None
    return (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    )


def _write(node: object) -> Iterator[str]:
    """Write a node, a list of nodes or a plain value as text."""
    if isinstance(node, ast.AST):
        yield type(node).__name__
        yield "("
        for name, value in _meaningful_fields(node):
            yield f"{name}="
            yield from _write(value)
            yield ";"
        yield ")"
    elif isinstance(node, list):
        yield "["
        for item in node:
            yield from _write(item)
            yield ","
        yield "]"
    else:
        yield f"{type(node).__name__}:{node!r}"


def _meaningful_fields(node: ast.AST) -> Iterator[tuple[str, object]]:
    for name, value in ast.iter_fields(node):
        if name in _IGNORED_FIELDS or value is None or value == []:
            continue
        if name == "body" and isinstance(node, _DOCUMENTED) and _opens_with_docstring(value):
            yield name, value[1:]
        else:
            yield name, value


ALGORITHMS: Mapping[str, Callable[[str], str]] = {"1": _normalise_syntax_tree}
