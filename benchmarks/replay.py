"""
How long it takes to erase 1,000 people again whom a restore brought back, against their erasure.

    ./run setup && .venv/bin/python benchmarks/replay.py [--each ROWS]

It starts servers of its own on 127.0.0.1, as `gdpr.py` does, erases 1,000 approved people by one
`gdpr_process`, restores the MongoDB that they were in, and starts `gdpr_replay`. Under twice the erasure.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from accord.embedded import EmbeddedCluster
from benchmarks.filling import FIRST, fill
from benchmarks.gdpr import GROUP, approve, one_person, require_erased, staff
from benchmarks.measuring import ROOT, clean_environment, manage, measure, say

SERVERS = ("postgres", "mongodb", "opensearch")


def inside(each: int, environment: Mapping[str, str], folder: Path) -> None:
    """Go on as a process of the project."""
    import django

    os.environ.update(environment, DJANGO_SETTINGS_MODULE="core.settings")
    os.chdir(ROOT)
    django.setup()
    from gdpr.drill.backups import MongoBackup

    fill(each)
    people = staff()
    one_person(FIRST + 5 * GROUP, *people)  # so that every store has its mark
    url = environment["MONGODB_URL"]
    backup = MongoBackup(url, urlsplit(url).path.strip("/"), folder / "mongodb.bson")
    backup.make()
    approve(range(FIRST, FIRST + GROUP), *people)
    erased = measure(manage("gdpr_process"), environment)
    require_erased(GROUP + 1)
    backup.restore()
    again = measure(manage("gdpr_replay", "--noinput"), environment)
    require_erased(2 * GROUP + 1)
    for name, found in (("erasure", erased), ("replay", again)):
        say(f"{name}: {found.wall:.1f} s, CPU {found.cpu:.1f} s, {found.megabytes:.0f} MB")
    say(
        f"replay / erasure: wall {again.wall / erased.wall:.2f}, CPU {again.cpu / erased.cpu:.2f} (target: 2)"
    )


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--each", type=int, default=10, help="rows and documents of each of 10,000 people")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o711)
        with EmbeddedCluster(folder / "servers", SERVERS, die_with_parent=True, delete=True) as cluster:
            urls = cluster.urls()
            environment = {
                **clean_environment(),
                "DATABASE_URL": urls["postgres"],
                "MONGODB_URL": urls["mongodb"],
                "ELASTICSEARCH_URL": urls["opensearch"],
            }
            measure(manage("migrate_all", "--noinput"), environment)
            inside(options.each, environment, folder)


if __name__ == "__main__":
    main()
