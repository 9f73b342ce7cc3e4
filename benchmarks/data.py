"""
How fast rows are written in batches beside an application, against one statement that locks them all.

    ./run setup && .venv/bin/python benchmarks/data.py [--rows N] [--times N] [--only PART]

It starts a PostgreSQL of its own on 127.0.0.1 and makes a small project with one table; four writers and a
reader work on it all the time (`application.py`). Each part is a file of its own, `data_PART.py`, which says
what it measures and what its targets are. Quote ratios: seconds depend on the machine.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from accord.embedded import EmbeddedCluster
from benchmarks import data_backfill
from benchmarks.postgres import Project

Part = Callable[[Project, int], None]
PARTS: Mapping[str, Part] = {"backfill": data_backfill.measure}
"""Each takes a project and a number of rounds, and says what it found."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="how many rows the table has")
    parser.add_argument("--times", type=int, default=3, help="how many rounds")
    parser.add_argument("--only", choices=sorted(PARTS), help="one part alone")
    options = parser.parse_args()
    for name, part in PARTS.items():
        if options.only in (None, name):
            with (
                tempfile.TemporaryDirectory() as folder,
                EmbeddedCluster(
                    Path(folder) / "servers", ("postgres",), die_with_parent=True, delete=True
                ) as cluster,
            ):
                part(Project(Path(folder), cluster.urls()["postgres"], options.rows), options.times)


if __name__ == "__main__":
    main()
