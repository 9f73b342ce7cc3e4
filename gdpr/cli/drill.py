"""What `gdpr_drill` does, and what it answers."""

from __future__ import annotations

import signal
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from types import FrameType
from typing import Any, NoReturn

from accord.cli.answer import Answer
from accord.cli.arguments import add_format
from accord.errors import ExitCode
from gdpr.drill.drill import Asked, Report, Stage, hold
from gdpr.errors import DrillFailed

_WIDTH = 9


@dataclass(frozen=True, kw_only=True)
class DrillOptions:
    """
    What a call asks for.

    Attributes:
        asked: The drill.
        as_json: Whether the answer is a JSON document.
    """

    asked: Asked
    as_json: bool

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> DrillOptions:
        """Read what the command line gave."""
        asked = Asked(
            stores=tuple(dict.fromkeys(options["store"])),
            together=options["together"],
            planter=options["planter"],
        )
        return cls(asked=asked, as_json=options["format"] == "json")


def add_drill_arguments(parser: ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument(
        "--store",
        action="append",
        default=[],
        metavar="ALIAS",
        help="A store to restore; may be given several times (default: each that has data of people).",
    )
    parser.add_argument(
        "--together", action="store_true", help="Restore these stores at once, and not one after the other."
    )
    parser.add_argument(
        "--planter",
        default="",
        metavar="PATH",
        help="Dotted path of a function of yours: given a number, it makes a person with data in every store "
        "and returns their primary key (default: rows made from your models and validators).",
    )
    add_format(parser)


def carry_out(options: DrillOptions, report: Report) -> Answer:
    """
    Hold the drill.

    Args:
        options: What is asked for.
        report: Hears of each stage when it is over.

    Raises:
        AccordError: It can't be held.
    """
    with _ended_at_once():
        stages = hold(options.asked, report)
    code = ExitCode.DONE if all(one.passed for one in stages) else DrillFailed.exit_code
    document = {
        "schema": "accord.erasure.drill/1",
        "exit_code": int(code),
        "passed": code is ExitCode.DONE,
        "stages": [asdict(one) for one in stages],
    }
    return Answer(document=document, lines=_last(stages), code=code)


def line(stage: Stage) -> str:
    """Describe a stage that is over."""
    word = "ok" if stage.passed else "FAILED"
    return f"{word:6}  {stage.name:{_WIDTH}}  {stage.told} ({stage.seconds} s)"


def _last(stages: Sequence[Stage]) -> Iterator[str]:
    failed = next((one for one in stages if not one.passed), None)
    if failed is None:
        yield "The drill passed: every restore was noticed, and nobody who was erased stayed."
    else:
        yield f"The drill stopped at “{failed.name}” ({DrillFailed.code})."


@contextmanager
def _ended_at_once() -> Iterator[None]:
    """Let SIGTERM end a drill as Ctrl-C does, and both at once: everything that it started goes, too."""

    def interrupt(_signum: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
