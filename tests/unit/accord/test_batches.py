"""The loop of batches: sizes follow the server, it ends when nothing is left, and no sooner."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from accord.batches import Sizes, TooMuchAtOnce, postgres, work_through
from accord.batches import settings as batch_settings
from accord.batches.postgres import Reading
from accord.batches.progress import Progress
from accord.batches.settings import Workers
from accord.errors import ConfigurationError


def test_sizes_shrink_when_slow_and_grow_back() -> None:
    """Transactions stay short on a busy server, and never exceed what was asked for."""
    sizes = Sizes(first=100, most=1000)
    assert sizes.following(1000, 0.9) == 500
    assert sizes.following(500, 0.3) == 500
    assert sizes.following(500, 0.1) == 1000
    assert sizes.following(1000, 0.1) == 1000
    assert sizes.following(10, 5) == 10
    assert Sizes(first=3, most=3).following(3, 5) == 3
    assert sizes.following(1, 5) == 1


def counting(left: int, tried: list[int], fitting: int = 10_000) -> Callable[[int], bool]:
    """Make a batch that takes from what is left, if no more than what fits is asked for."""

    def batch(size: int) -> bool:
        nonlocal left
        tried.append(size)
        if size > fitting:
            raise TooMuchAtOnce
        left -= min(size, left)
        return left > 0

    return batch


def ticking(seconds: float) -> Callable[[], float]:
    """Make a clock on which every look is later by these seconds."""

    def times() -> Iterator[float]:
        now = 0.0
        while True:
            yield now
            now += seconds

    return times().__next__


def test_quick_batches_grow_until_nothing_is_left() -> None:
    """Each batch is twice the last one, up to the most."""
    tried: list[int] = []
    assert work_through(counting(1500, tried), Sizes(first=100, most=400), clock=ticking(0.1))
    assert tried == [100, 200, 400, 400, 400]


def test_slow_batches_are_halved_and_never_grow() -> None:
    """A server that needs its time gets less at once, down to the least."""
    tried: list[int] = []
    assert work_through(counting(140, tried), Sizes(first=80, most=400, least=20), clock=ticking(1))
    assert tried == [80, 40, 20]


def test_what_does_not_get_through_is_tried_with_less() -> None:
    """A batch that is too much is quartered until it fits; the rest goes on from there."""
    tried: list[int] = []
    assert work_through(counting(20, tried, fitting=7), Sizes(first=100, most=100), clock=ticking(0.3))
    assert tried == [100, 25, 6, 6, 6, 6]


def test_one_that_never_fits_ends_the_loop() -> None:
    """Where not even one gets through there is nothing smaller to try."""
    tried: list[int] = []
    with pytest.raises(TooMuchAtOnce):
        work_through(counting(20, tried, fitting=0), Sizes(first=5, most=5))
    assert tried == [5, 1]


def test_asked_to_stop_it_leaves_the_rest() -> None:
    """The question is put before each batch, the first one included."""
    tried: list[int] = []
    batch = counting(1000, tried)
    assert not work_through(batch, Sizes(first=10, most=10), stop=lambda: len(tried) == 2)
    assert not work_through(batch, Sizes(first=10, most=10), stop=lambda: True)
    assert tried == [10, 10]


def test_heavy_batches_get_smaller_however_quick() -> None:
    """Bytes count beside seconds; a light one may grow, one that would be heavy when doubled stays."""
    sizes = Sizes(first=10, most=1000, heavy=1000)

    assert sizes.following(100, 0.01, 1001) == 50
    assert sizes.following(100, 0.01, 501) == 100
    assert sizes.following(100, 0.01, 500) == 200
    assert sizes.following(1, 0.01, 5000) == 1


@pytest.mark.parametrize(
    ("progress", "speed", "expected", "left"),
    [
        (Progress(slices={"waiting": 4}), 0.0, None, None),
        (
            Progress(slices={"done": 1, "running": 1, "waiting": 2}, rows=150, worked=3.0, active=2),
            100,
            600,
            4.5,
        ),
        (Progress(slices={"done": 1, "waiting": 1}, rows=50, worked=1.0, total=200, active=1), 50, 200, 3),
        (Progress(slices={"done": 2}, rows=50, worked=1.0, total=40), 0.0, 50, 0.0),
        (Progress(slices={"waiting": 1}, rows=90, worked=1.0, total=40, active=1), 90, 90, 0.0),
    ],
)
def test_speed_and_what_is_left_are_told_from_what_was_done(
    progress: Progress, speed: float, expected: float | None, left: float | None
) -> None:
    """By the rows that were expected, else by slices; nothing is told where nothing is known."""
    assert (progress.speed, progress.expected, progress.seconds_left) == (speed, expected, left)


def test_workers_are_read_from_the_settings() -> None:
    """None where the project has none; what isn't said has a default."""
    assert batch_settings.parse({}) is None
    assert batch_settings.parse({"APP": "shop.celery.app", "LEASE": 5}) == Workers(
        app="shop.celery.app", lease=5.0
    )


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ({"QUEUE": "accord"}, "names no APP"),
        ({"APP": ""}, "'APP'"),
        ({"APP": "shop.celery.app", "LEASE": 0}, "'LEASE'"),
        ({"APP": "shop.celery.app", "TURN": "1"}, "'TURN'"),
        ({"APP": "shop.celery.app", "TURNS": 1}, "has no TURNS"),
    ],
)
def test_workers_that_cannot_be_read_are_refused(setting: dict[str, object], text: str) -> None:
    """A typing mistake never silently means the default."""
    with pytest.raises(ConfigurationError, match=text):
        batch_settings.parse(setting)


@pytest.mark.parametrize(
    ("reading", "seconds", "why"),
    [
        (Reading(), 0, ""),
        (Reading(lag=9.9), 0, ""),
        (Reading(lag=10), 10, "10 s behind"),
        (Reading(lag=3600, waiting=1), 30, "3600 s behind"),
        (Reading(waiting=1), 1, "1 session waits"),
        (Reading(waiting=3), 1, "3 sessions wait"),
        (Reading(lag=60, waiting=3, wraparound=1), 15, "wraparound"),
    ],
)
def test_pressure_is_decided_from_one_reading(reading: Reading, seconds: float, why: str) -> None:
    """The gravest reason is told, and nobody waits for half a minute without another look."""
    found = postgres.judge(reading)

    assert found.seconds == seconds
    assert why in found.why
