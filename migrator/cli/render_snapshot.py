"""What a snapshot came to, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.management.color import Style

from accord.words import counted
from migrator.engine.snapshot import FileOutcome, SnapshotReport

_NEXT = (
    "Undo what was done by hand, or, where a migration did it, write the snapshot anew and have its change "
    "reviewed: the same command without --check."
)


def snapshot_lines(found: SnapshotReport, unfinished: int | None, style: Style) -> Iterator[str]:
    """
    Tell each difference, then what became of each file, then what is in none.

    Args:
        found: What the snapshot came to.
        unfinished: How many steps are pending or half done; None where nobody can tell.
        style: Colours.
    """
    for one in found.outcomes:
        yield from one.diff
    if not found.compared:
        yield from (f"{one.file}  {_state(found, one)}" for one in found.outcomes)
    for alias, other in found.snapshot.shared.items():
        yield f"{alias} shares the database of {other}: {found.snapshot.names[other]} describes both."
    for name in found.strays:
        yield style.WARNING(f"{name} is the file of no store: delete it.")
    for alias in found.snapshot.undescribed:
        yield style.WARNING(f"{alias} can't be described: nothing is known of it.")
    if unfinished is None:
        yield style.WARNING("Whether a step is pending can't be told: migrate_all --plan says why.")
    elif unfinished:
        yield style.WARNING(
            f"{counted(unfinished, 'step')} pending or half done: these are the stores before."
        )
    yield from _in_short(found, style)


def _in_short(found: SnapshotReport, style: Style) -> Iterator[str]:
    changed = sum(one.changed for one in found.outcomes)
    files = counted(len(found.outcomes), "file")
    if not found.outcomes:
        yield style.ERROR("No store could be described.")
    elif not found.compared:
        yield style.SUCCESS(f"{files}, {changed} of them new or changed.")
    elif found.exit_code:
        yield style.ERROR(f"{files} compared: {_differing(changed, len(found.strays))}.")
        yield f"  {_NEXT}"
    else:
        left = len(found.snapshot.undescribed)
        rest = f"; {counted(left, 'store')} not compared" if left else ""
        yield (style.WARNING if left else style.SUCCESS)(f"{files} compared: as the stores stand{rest}.")


def _differing(changed: int, strays: int) -> str:
    parts = [f"{changed} not as the store stands"] if changed else []
    parts += [f"{strays} beside them of no store"] if strays else []
    return ", ".join(parts)


def _state(found: SnapshotReport, one: FileOutcome) -> str:
    if found.compared:
        return "different" if one.changed else "equal"
    return "written" if one.changed else "unchanged"


def snapshot_document(found: SnapshotReport, unfinished: int | None) -> dict[str, Any]:
    """Describe it (`accord.snapshot/1`); arguments as above."""
    return {
        "schema": "accord.snapshot/1",
        "exit_code": int(found.exit_code),
        "compared": found.compared,
        "unfinished": unfinished,
        "files": [
            {"store": one.store, "file": one.file, "state": _state(found, one), "diff": list(one.diff)}
            for one in found.outcomes
        ],
        "shared": dict(found.snapshot.shared),
        "strays": list(found.strays),
        "undescribed": list(found.snapshot.undescribed),
    }
