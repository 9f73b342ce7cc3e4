"""
How long a large register of erasures takes to check, and how much memory.

    .venv/bin/python benchmarks/register.py [--entries N]

No server is needed: the register is a file, made in a temporary folder. Each line is a process of its own,
so its memory is that of the check alone.

- `written`: the register is made, a thousand entries at a time.
- `whole`: nobody has checked it before; each entry is judged.
- `again`: nothing was added since. This is what every health check does.
- `hundred more`: a hundred entries were added.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import clean_environment, measure, say

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
KEPT = timedelta(days=100_000)
TOGETHER = 1_000


def write(path: Path, count: int, first: int) -> None:
    """Enter erasures, each with forty collected rows."""
    from gdpr.datamap.subjects import SubjectKeys
    from gdpr.register import seals
    from gdpr.register.entries import EntryDraft, EntryWord
    from gdpr.register.file import RegisterFile

    file = RegisterFile(path)
    beginning = EntryDraft(word=EntryWord.BEGUN, at=MOMENT, facts={"register": "a" * 32})
    for start in range(first, first + count, TOGETHER):
        drafts = [
            EntryDraft(
                word=EntryWord.DONE,
                at=MOMENT,
                request=f"{number:032x}",
                keep_until=MOMENT + KEPT,
                facts={"map": "0" * 64, "receipt": "1" * 64, "ground": "17(1)(a)"},
                secrets=seals.sealed(
                    f"shop.customer/k/{number}",
                    SubjectKeys(
                        kind="shop.Customer",
                        primary=number,
                        alternates={"email": f"person{number}@example.com"},
                        collected={"orders": tuple(range(number, number + 40))},
                    ),
                ),
            )
            for number in range(start, min(start + TOGETHER, first + count))
        ]
        file.append(drafts, beginning=beginning)


def check(path: Path) -> None:
    """Check it, as a health check does."""
    from gdpr.register import soundness
    from gdpr.register.file import RegisterFile

    soundness.checked(RegisterFile(path))


def nothing(path: Path) -> None:
    """Start, and look whether it is there: what every process pays."""
    from gdpr.register import soundness  # noqa: F401 - its import is a part of what is measured
    from gdpr.register.file import RegisterFile

    RegisterFile(path).exists()


def work(what: str, path: Path, count: int) -> None:
    """Do one thing in a process of its own."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")
    import django

    django.setup()
    if what == "write":
        write(path, count, 1)
    elif what == "more":
        write(path, 100, count + 1)
    elif what == "nothing":
        nothing(path)
    else:
        check(path)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=50_000)
    parser.add_argument("--work", nargs=2, metavar=("WHAT", "PATH"))
    asked = parser.parse_args()
    if asked.work:
        work(asked.work[0], Path(asked.work[1]), asked.entries)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "register.jsonl"
        for name, what in (
            ("written", "write"), ("start of a process", "nothing"), ("whole", "check"), ("again", "check"),
            ("(a hundred more)", "more"), ("hundred more", "check"),
        ):  # fmt: skip
            command = [sys.executable, __file__, "--entries", str(asked.entries), "--work", what, str(path)]
            found = measure(command, clean_environment())
            say(f"{name:20} {found.wall:7.2f} s  CPU {found.cpu:6.2f} s  {found.megabytes:5.0f} MB")
        say(f"{asked.entries} entries, {path.stat().st_size / 2**20:.0f} MB")


if __name__ == "__main__":
    main()
