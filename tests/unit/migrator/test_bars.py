"""On a terminal each store that is at a step has a line of its own, as long as it is."""

from __future__ import annotations

import io

from rich.console import Console
from rich.progress import Progress, TextColumn

from accord.events import StepProgressed
from accord.seam.types import Direction, StepOutcome
from accord.testing import make_step
from migrator.cli.progress import Pace, PlainProgress, _Bars
from migrator.engine.events import StepFinished, StepStarted

PLAYS, TRACKS = make_step("mongodb:music.0001_plays"), make_step("search:music.0001_tracks")


def test_each_lane_has_a_line_while_its_step_goes_on() -> None:
    """Two stores at work are two lines beside that of the run; a step that is over leaves its line."""
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=120)
    with Progress(TextColumn("{task.description}"), console=console, auto_refresh=False) as bar:
        bars = _Bars(bar, 1)
        for position, step in enumerate((PLAYS, TRACKS), start=1):
            bars(StepStarted(step=step, direction=Direction.APPLY, position=position, total=2))
        bars(StepProgressed(key=str(PLAYS.key), done=3, total=10))
        both = shown(bar)
        outcome = StepOutcome(key=PLAYS.key, direction=Direction.APPLY)
        bars(StepFinished(step=PLAYS, outcome=outcome, seconds=1.0, position=1, total=2))
        one = shown(bar)

    assert both == {"steps": 0, str(PLAYS.key): 3, str(TRACKS.key): 0}
    assert one == {"steps": 1, str(TRACKS.key): 0}
    assert "[1/2] mongodb:music.0001_plays  applied in 1.00 s" in stream.getvalue()


def test_log_says_in_tenths_how_long_a_step_will_take() -> None:
    """From what was done since it was first heard of: what another run did made this one no faster."""
    stream, now = io.StringIO(), [0.0]
    progress = PlainProgress(stream, 1)
    progress._pace = Pace(lambda: now[0])
    for done in (500, 550, 600, 601, 800):
        progress(StepProgressed(key=str(PLAYS.key), done=done, total=1000))
        now[0] += 2.0

    lines = [line.partition("  ")[2] for line in stream.getvalue().splitlines()]
    assert lines == ["500 of 1,000", "600 of 1,000, 16.00 s left", "800 of 1,000, 5.33 s left"]


def shown(bar: Progress) -> dict[str, float]:
    """Return the lines that a person sees, with how far each is."""
    return {task.description: task.completed for task in bar.tasks if task.visible}
