"""What earlier operations of a plan hide from a look."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from accord.errors import AccordError, ConflictingState, StoreError, StoreUnavailable
from accord.revisions.foretelling import Horizon, judged
from accord.revisions.operation import Operation
from accord.seam.foretelling import Outlook
from accord.seam.types import StepKey

KEY = StepKey("mongodb", "music", "0001_plays")


class Odd(Operation[None]):
    """An operation that only has a title."""

    def apply(self, context: None) -> int:
        return 0

    def revert(self, context: None) -> int:
        return 0


@pytest.mark.parametrize(
    ("touched", "hidden"),
    [({"plays"}, "the first"), ({"venues"}, ""), (None, "the first"), (frozenset(), "")],
)
def test_what_an_earlier_operation_touches_is_hidden(touched: Collection[str] | None, hidden: str) -> None:
    """Code hides everything; what changes nothing hides nothing."""
    horizon = Horizon()
    horizon.extend("the first", touched)
    horizon.extend("the second", {"tracks"})

    assert horizon.hides({"plays"}) == hidden


@pytest.mark.parametrize(
    ("error", "outlook"), [(ConflictingState("no"), Outlook.REFUSED), (StoreError("no"), Outlook.UNKNOWN)]
)
def test_only_what_would_stop_the_step_is_foretold_as_refused(error: AccordError, outlook: Outlook) -> None:
    """A look that failed for another reason is no answer."""
    assert judged(KEY, Odd(), error).outlook is outlook


def test_store_that_is_away_ends_the_look() -> None:
    """It is told once, and not step by step."""
    with pytest.raises(StoreUnavailable):
        judged(KEY, Odd(), StoreUnavailable("away"))
