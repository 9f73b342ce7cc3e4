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
from collections.abc import Callable, Mapping, Sequence
from typing import cast

CURRENT = "1"

_Form = tuple[str, Sequence[tuple[str, str]]]
_FORMS: dict[type[ast.AST], _Form] = {}

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
    Return whether source still has the recorded checksum, by the algorithm it was recorded with.

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
    Return, for algorithm 1, the syntax tree without positions, comments, docstrings and import order.

    `ast.dump` is not used: what it prints differs between Python versions. Here an
    empty or absent field is left out, so a field that a later Python adds changes nothing
    as long as a revision does not use it.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return source
    tree.body = _sort_leading_imports(tree.body)
    return _text(tree)


def _sort_leading_imports(body: list[ast.stmt]) -> list[ast.stmt]:
    """Order the imports that stand at the top of a module by their text."""
    start = 1 if _opens_with_docstring(body) else 0
    end = start
    while end < len(body) and isinstance(body[end], (ast.Import, ast.ImportFrom)):
        end += 1
    imports = sorted(body[start:end], key=_text)
    return [*body[:start], *imports, *body[end:]]


def _opens_with_docstring(body: list[ast.stmt]) -> bool:
    first = body[0] if body else None
    return (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    )


def _text(node: object) -> str:
    parts: list[str] = []
    _write(node, parts.append)
    return "".join(parts)


def _write(node: object, write: Callable[[str], None]) -> None:
    """Write a node, a list of nodes or a plain value as text, piece by piece."""
    kind = type(node)
    if kind is list:
        _write_list(cast("list[object]", node), write)
    elif issubclass(kind, ast.AST):
        _write_node(cast("ast.AST", node), write)
    else:
        write(f"{kind.__name__}:{node!r}")


def _write_list(items: list[object], write: Callable[[str], None]) -> None:
    write("[")
    for item in items:
        _write(item, write)
        write(",")
    write("]")


def _write_node(node: ast.AST, write: Callable[[str], None]) -> None:
    kind = type(node)
    opening, fields = _FORMS.get(kind) or _form(kind)
    write(opening)
    filled = node.__dict__
    for name, before in fields:
        value = filled.get(name)
        if value is None or value == []:
            continue
        write(before)
        _write(_undocumented(node, value) if name == "body" else value, write)
        write(";")
    write(")")


def _form(kind: type[ast.AST]) -> _Form:
    """Learn how the text of a kind of node begins, and its fields, each with what stands before its value."""
    fields = [(name, f"{name}=") for name in kind._fields if name not in _IGNORED_FIELDS]
    return _FORMS.setdefault(kind, (f"{kind.__name__}(", fields))


def _undocumented(node: ast.AST, body: object) -> object:
    """Remove the docstring from the body of what can have one."""
    if isinstance(node, _DOCUMENTED) and isinstance(body, list) and _opens_with_docstring(body):
        return body[1:]
    return body


ALGORITHMS: Mapping[str, Callable[[str], str]] = {"1": _normalise_syntax_tree}
