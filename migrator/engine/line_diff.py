"""A unified diff of an indented text, each part of it headed by what it is a part of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher, unified_diff

_AROUND = 3
Opcode = tuple[str, int, int, int, int]


def differing(before: str, after: str, names: tuple[str, str]) -> Iterator[str]:
    """
    Compare two texts line by line.

    Args:
        before: One text.
        after: The other.
        names: What each is called.

    Yields:
        Lines of a unified diff, without their end; none where every line is equal.
    """
    old, new = before.splitlines(), after.splitlines()
    grouped = SequenceMatcher(None, old, new).get_grouped_opcodes(_AROUND)
    headings = (_heading(old, new, group) for group in grouped)
    for line in unified_diff(old, new, *names, n=_AROUND, lineterm=""):
        # Lines of the texts begin with a sign, or with a space.
        yield f"{line}{next(headings)}" if line.startswith("@@") else line


def _heading(old: Sequence[str], new: Sequence[str], group: Sequence[Opcode]) -> str:
    """Name the lines that the first change stands under: its table, or its collection and what of it."""
    _, old_at, old_end, new_at, _ = next(one for one in group if one[0] != "equal")
    lines, at = (old, old_at) if old_end > old_at else (new, new_at)
    indent, above = _indent(lines[at]), list[str]()
    for line in reversed(lines[:at]):
        if line.strip() and _indent(line) < indent:
            indent = _indent(line)
            above.append(line.strip().rstrip(":( "))
    return "".join(f" {part}" for part in reversed(above))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
