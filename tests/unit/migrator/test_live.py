"""What a look at the live stores says when it could not look."""

from __future__ import annotations

from django.core.management.color import no_style

from accord.errors import ExitCode
from accord.seam.types import StepKey
from migrator.cli.render_live import live_lines
from migrator.engine.live import LiveLook

KEY = StepKey("mongodb", "shop", "0001_first")


def said(found: LiveLook) -> str:
    """Return the last line of an answer."""
    return list(live_lines(found, no_style()))[-1]


def test_what_could_not_be_looked_at_is_never_told_as_well() -> None:
    """A part that no look can tell, and a store that can't be asked, each show in the last line."""
    assert (
        said(LiveLook(looked_in={"mongodb": 3}))
        == "3 applied steps looked at: the stores are as they describe."
    )
    partly = said(LiveLook(looked_in={"mongodb": 3}, unknown=((KEY, "It changes documents only."),)))
    assert partly == "3 applied steps looked at: no difference, and 1 thing could not be looked at."
    assert "describe" not in said(LiveLook(looked_in={"mongodb": 0}))


def test_store_that_cannot_be_asked_at_all_is_a_failure() -> None:
    """Beside others that were looked at it is told; alone it leaves nothing that could be said."""
    assert LiveLook(looked_in={"mongodb": 0}, unasked=("lite",)).exit_code is ExitCode.FAILED
    assert LiveLook(looked_in={"mongodb": 3}, unasked=("lite",)).exit_code is ExitCode.DONE
    assert LiveLook(looked_in={"mongodb": 0}).exit_code is ExitCode.DONE
