"""What a plan would drop with what it holds, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.management.color import Style

from accord.seam.losses import Loss

_UNKNOWN = "What the plan would drop could not be counted: a store can't be reached."


def losses_lines(losses: Sequence[Loss] | None, style: Style) -> Iterator[str]:
    """Name what goes, each with its number; None says that it isn't known."""
    if losses is None:
        yield style.WARNING(_UNKNOWN)
    elif losses:
        yield style.WARNING("Drops what holds data:")
        for loss in losses:
            yield f"  {loss.words}  ({loss.key})"


def lost_lines(losses: Sequence[Loss], style: Style) -> Iterator[str]:
    """Name what one step drops, below what it would send."""
    for loss in losses:
        yield "   " + style.WARNING(f"-> drops what holds data: {loss.words}")


def losses_document(losses: Sequence[Loss] | None) -> dict[str, Any]:
    """Describe what goes; null says that it isn't known."""
    return {"losses": None if losses is None else [_loss(loss) for loss in losses]}


def _loss(loss: Loss) -> dict[str, Any]:
    return {
        "key": str(loss.key),
        "what": loss.what,
        "held": loss.held.value,
        "number": loss.count.number,
        "estimate": loss.count.is_estimate,
    }
