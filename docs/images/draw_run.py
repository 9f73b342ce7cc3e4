# ruff: noqa: INP001 - a script beside the picture, no package
"""
Draw the README's picture of a run, from what a run of the sample project said on a terminal.

    FORCE_COLOR=1 python manage.py migrate_all --noinput > run.txt 2>&1
    python docs/images/draw_run.py < run.txt > docs/images/migrate_all.svg

The lines of some steps stay, `...` stands for those between them; servers that start are left out.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.text import Text

_STAY = re.compile(
    r"accord\.0001|accord\.0002|migrator\.0001|streaming\.0003_catalogue|documents\.0001|streaming\.000[12]_playlists"
    r"|search:streaming\.0001|royalties\.000[358]|streaming\.0008|streaming\.001[23]|track_embeddings|0007_source"
    r"|0007_titles"
)
_STEP = re.compile(r"^\[ *\d+/\d+\] ")
_STARTING = re.compile(r"^\w+: (?:starting the embedded server|ready after)")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_WIDTH = 108


def chosen(said: Iterable[str]) -> Iterator[str]:
    """Leave steps out, and say where."""
    gap = False
    for line in said:
        plain = _COLOURS.sub("", line)
        if _STARTING.match(plain):
            continue
        is_step = _STEP.match(plain)
        if is_step and not _STAY.search(line):
            gap = True
            continue
        if gap:
            yield "        ..."
        gap = False
        yield line


def main() -> None:
    """Read from standard input, write the picture to standard output."""
    lines = [line.rstrip("\n") for line in sys.stdin if line.strip()]
    again = ["", "$ python manage.py migrate_all", "Nothing to do: everything is applied."]
    console = Console(record=True, width=_WIDTH, file=sys.stderr, force_terminal=True)
    for line in ["$ python manage.py migrate_all", *chosen(lines), *again]:
        console.print(Text.from_ansi(line), no_wrap=True, crop=True)
    sys.stdout.write(console.export_svg(title="Accord"))


if __name__ == "__main__":
    main()
