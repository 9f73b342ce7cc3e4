"""
Lanes: steps of different stores that don't need each other run at the same time.

Each lane takes its steps in the order of the plan, and waits where one needs a step of another
lane. It can't lock up: the earliest step that is not settled is the next one of its lane, and all
that it needs comes before it.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from accord.seam.types import Step, StepKey

CALLER = ""
"""Name of the lane that must run in the calling thread."""

LANE = "lane of "
"""How the names of the further threads begin."""

_PATIENCE = 5.0  # seconds that lanes have to end when the run is interrupted at once


@dataclass(frozen=True, kw_only=True)
class Turn:
    """
    One step of a plan.

    Attributes:
        position: Its place in the plan, from 1.
        step: The step.
        needs: Steps of the plan that have to be settled before.
    """

    position: int
    step: Step
    needs: frozenset[StepKey]


def split(turns: Iterable[Turn], lane_of: Mapping[str, str]) -> Sequence[Sequence[Turn]]:
    """
    Split turns into lanes.

    Args:
        turns: Steps in the order of the plan.
        lane_of: The lane of each store; :data:`CALLER` for the calling thread.

    Returns:
        The lanes. The calling thread takes the first one.
    """
    lanes: dict[str, list[Turn]] = {}
    for turn in turns:
        lanes.setdefault(lane_of[turn.step.key.store], []).append(turn)
    return [lanes[name] for name in sorted(lanes, key=lambda name: name != CALLER)]


class Crew:
    """
    Takes the turns of a plan, lane beside lane.

    Args:
        take: Takes one turn; what it raises ends every lane after the step that it is at.
        leave: Called in each further thread when its lane is over, to close what belongs to it.
    """

    def __init__(self, take: Callable[[Turn], None], leave: Callable[[], None]) -> None:
        self._take = take
        self._leave = leave
        self._moved = threading.Condition()
        self._settled: set[StepKey] = set()
        self._raised: dict[int, BaseException] = {}
        self._halted = False

    def run(self, lanes: Sequence[Sequence[Turn]]) -> None:
        """
        Take all turns of all lanes; the first lane in the calling thread.

        Raises:
            BaseException: What the earliest of the turns raised that raised anything. Where it is no error
                but an end (Ctrl-C, a revision that calls `sys.exit`) and comes from the calling thread,
                lanes that don't end within seconds are left behind, and end with the process.
        """
        threads = [
            threading.Thread(
                target=self._beside, args=(lane,), name=f"{LANE}{lane[0].step.key.store}", daemon=True
            )
            for lane in lanes[1:]
        ]
        for thread in threads:
            thread.start()
        try:
            for lane in lanes[:1]:
                self._work(lane)
            for thread in threads:
                thread.join()
        except BaseException:
            self._interrupt(threads)
            raise
        if self._raised:
            raise self._raised[min(self._raised)]

    def _beside(self, lane: Sequence[Turn]) -> None:
        try:
            self._work(lane)
        except BaseException:  # noqa: BLE001 - what a turn raised is raised again by the thread that called
            self._halt()
        finally:
            self._leave()

    def _work(self, lane: Sequence[Turn]) -> None:
        for turn in lane:
            if not self._may_begin(turn):
                return
            try:
                self._take(turn)
            except BaseException as exc:
                self._raised[turn.position] = exc
                self._halt()
                if isinstance(exc, Exception):
                    return  # the thread that called raises it, once every lane has ended its step
                raise
            self._settle(turn)

    def _may_begin(self, turn: Turn) -> bool:
        """Wait for what a step needs; return False when the run ends before."""
        with self._moved:
            self._moved.wait_for(lambda: self._halted or turn.needs <= self._settled)
            return not self._halted

    def _settle(self, turn: Turn) -> None:
        with self._moved:
            self._settled.add(turn.step.key)
            self._moved.notify_all()

    def _halt(self) -> None:
        with self._moved:
            self._halted = True
            self._moved.notify_all()

    def _interrupt(self, threads: Iterable[threading.Thread]) -> None:
        """Interrupt every lane where Python runs, and wait a little."""
        self._halt()
        deadline = time.monotonic() + _PATIENCE
        for thread in threads:
            if thread.ident is not None and thread.is_alive():
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(thread.ident), ctypes.py_object(KeyboardInterrupt)
                )
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
