"""`backfill_kept`: its flags and its answer."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from accord.cli.answer import Answer
from accord.cli.arguments import add_format
from accord.display import day
from accord.words import counted
from migrator.relational import before
from migrator.relational.before import Waiting

_WAY = "They are over: backfill_kept --drop"


def add_kept_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--drop", action="store_true", help="Let go of what was kept for long enough.")
    add_format(parser)


def carry_out(options: Mapping[str, Any]) -> Answer:
    """
    Show what is kept, and let go of what is over where that is asked for.

    Raises:
        StoreError: A database can't be asked.
    """
    found = list(before.everywhere())
    going = [each for each in found if each.is_over and options["drop"]]
    for each in going:
        before.forget(each)
    return Answer(
        document={"schema": "accord.backfill_kept/1", "kept": [_as_json(each, going) for each in found]},
        lines=_lines(found, going),
    )


def _as_json(each: Waiting, going: Sequence[Waiting]) -> Mapping[str, Any]:
    return {
        "store": each.store,
        "what": each.what,
        "table": each.name,
        "rows": each.rows,
        "until": each.until.isoformat(),
        "over": each.is_over,
        "dropped": each in going,
    }


def _lines(found: Sequence[Waiting], going: Sequence[Waiting]) -> Iterator[str]:
    if not found:
        yield "No values of before are kept."
    for each in found:
        until = "dropped" if each in going else f"until {day(each.until)}"
        over = ", which is over" if each.is_over and each not in going else ""
        yield f"{each.store}  {each.what}: {counted(each.rows, 'row')} in {each.name}, {until}{over}"
    if any(each.is_over and each not in going for each in found):
        yield _WAY
