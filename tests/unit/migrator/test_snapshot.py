"""The files of a snapshot are whole, whatever happens to who writes them; odd calls are refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest
from django.core.management import load_command_class

from accord.errors import ExitCode, StoreUnavailable, UsageError
from accord.seam.describing import Description
from accord.seam.registry import Registry
from accord.seam.stores import Store
from accord.testing import MemoryStore, make_lease, make_step
from migrator.cli.options import request_from
from migrator.engine import snapshot, snapshot_files
from migrator.engine.line_diff import differing
from migrator.engine.live import LiveLook
from migrator.engine.live_snapshot import held_against, kin
from migrator.engine.plan import Target
from migrator.engine.situation import read_situation
from migrator.errors import SnapshotUnusable

HEAD = f"# {snapshot_files.MARK} of a store\n"
OLD, NEW = f"{HEAD}old\n", f"{HEAD}new\n"
DYING = """
import os, sys
from pathlib import Path
from migrator.engine.snapshot_files import write

def killed(*_):
    os._exit(9)

if sys.argv[2] == "drafts":
    os.fsync = killed
else:
    real, done = Path.replace, []
    Path.replace = lambda draft, place: killed() if done else (done.append(1), real(draft, place))
text = sys.stdin.read()
write(Path(sys.argv[1]), {"a.sql": text, "b.sql": text})
"""


class Described:
    """A store that says what it is told to say."""

    product = "described"

    def __init__(self, text: str | None, place: str = "") -> None:
        self.text, self.place = text, place

    def describe(self) -> Description | None:
        """Say it; what is away is away."""
        if self.text == "away":
            raise StoreUnavailable("It is away.", hint="")
        if self.text is None:
            return None
        return Description(suffix="sql", comment="-- ", text=self.text, place=self.place)


def stores(**described: Described) -> Mapping[str, Store]:
    return cast("Mapping[str, Store]", described)


class Kept(MemoryStore):
    """A store with steps that describes itself, and is one of a product."""

    product = "memory"

    def describe(self) -> Description:
        """Say what its server holds; never which store asks."""
        return Description(
            suffix="txt", comment="# ", text="".join(f"{one}\n" for one in self.server.objects)
        )


class OfAnother(Kept):
    """A store that can't share a database with the others."""

    product = "another"


def held(folder: Path, stores: Mapping[str, Store], *asked: str) -> LiveLook:
    """Hold stores against a snapshot, beside a look that found nothing."""
    situation = read_situation(cast("Registry", stores))
    return held_against(folder, LiveLook(looked_in={}), stores, situation, Target(stores=asked))


def texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("where", "left"), [("drafts", {"a.sql": OLD, "b.sql": OLD}), ("places", {"a.sql": NEW, "b.sql": OLD})]
)
def test_kill_leaves_whole_files_and_writing_again_does_the_rest(
    tmp_path: Path, where: str, left: Mapping[str, str]
) -> None:
    """Before the first file is in its place all are old; between two, each is one or the other."""
    snapshot_files.write(tmp_path, {"a.sql": OLD, "b.sql": OLD})

    done = subprocess.run(
        [sys.executable, "-c", DYING, str(tmp_path), where], input=NEW, text=True, check=False
    )
    assert done.returncode == 9
    assert snapshot_files.read(tmp_path, ["a.sql", "b.sql"]) == left
    assert snapshot_files.strays(tmp_path, ["a.sql", "b.sql"]) == ()

    snapshot_files.write(tmp_path, {"a.sql": NEW, "b.sql": NEW})
    assert texts(tmp_path) == {"a.sql": NEW, "b.sql": NEW}


def test_store_that_is_away_changes_no_file(tmp_path: Path) -> None:
    """All are asked before the first is written."""
    snapshot.written(stores(a=Described("one\n"), b=Described("two\n")), tmp_path)
    before = texts(tmp_path)

    with pytest.raises(StoreUnavailable):
        snapshot.written(stores(a=Described("other\n"), b=Described("away")), tmp_path)

    assert texts(tmp_path) == before


def test_database_of_two_stores_has_one_file_whichever_is_asked(tmp_path: Path) -> None:
    """It is that of the first; a narrowed look finds it, and one that is away is not where the other is."""
    both = stores(gone=Described("away"), a=Described("one\n", "here"), b=Described("one\n", "here"))

    for asked in (("b",), ("a", "b"), ("a",)):
        found = snapshot.written(both, tmp_path, asked)
        assert [one.file for one in found.outcomes] == ["a.sql"]
    assert snapshot.compared(both, tmp_path, ("b",)).exit_code is ExitCode.DONE
    assert [*texts(tmp_path)] == ["a.sql"]


def test_what_can_not_be_described_is_named_and_its_old_file_is_drift(tmp_path: Path) -> None:
    """Nobody may think that a store was compared which was not."""
    snapshot.written(stores(a=Described("one\n"), b=Described("two\n")), tmp_path)

    found = snapshot.compared(stores(a=Described("one\n"), b=Described(None)), tmp_path)

    assert found.snapshot.undescribed == ("b",)
    assert found.strays == ("b.sql",)
    assert found.exit_code is ExitCode.DRIFT
    assert snapshot.compared(stores(b=Described(None)), tmp_path, ("b",)).exit_code is ExitCode.FAILED


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "a.sql is missing"),
        (b"\xff\xfe", "a.sql can't be read"),
        (b"", "a.sql is no file of a snapshot"),
        (b"CREATE TABLE person ();\n", "a.sql is no file of a snapshot"),
    ],
)
def test_file_that_says_nothing_is_named(tmp_path: Path, content: bytes | None, told: str) -> None:
    """No file, no text, nothing, something else: each is an error and no comparison."""
    if content is not None:
        (tmp_path / "a.sql").write_bytes(content)

    with pytest.raises(SnapshotUnusable, match=told):
        snapshot.compared(stores(a=Described("one\n")), tmp_path)


def test_file_of_somebody_else_is_not_written_over(tmp_path: Path) -> None:
    """Nor is any other file written then."""
    (tmp_path / "b.sql").write_text("CREATE TABLE person ();\n", encoding="utf-8")

    with pytest.raises(SnapshotUnusable, match=r"b\.sql is no file of a snapshot"):
        snapshot.written(stores(a=Described("one\n"), b=Described("two\n")), tmp_path)

    assert texts(tmp_path) == {"b.sql": "CREATE TABLE person ();\n"}


def test_ends_of_lines_are_no_difference(tmp_path: Path) -> None:
    """A checkout may write them otherwise."""
    live = stores(a=Described("one\ntwo\n"))
    snapshot.written(live, tmp_path)
    path = tmp_path / "a.sql"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))

    assert snapshot.compared(live, tmp_path).exit_code is ExitCode.DONE


def test_difference_is_headed_by_what_it_is_a_part_of() -> None:
    """Whoever reads it knows the table without opening the file."""
    lines = [f"    column{number} integer," for number in range(9)]
    before = "\n".join(["CREATE TABLE person (", *lines, ");"])

    found = list(differing(before, before.replace("column7 integer", "column7 bigint"), ("a.sql", "a")))

    assert found[2].endswith("@@ CREATE TABLE person")
    assert "-    column7 integer," in found
    assert "+    column7 bigint," in found
    assert list(differing(before, before, ("a.sql", "a"))) == []


@pytest.mark.parametrize(
    ("folder", "more", "told"),
    [
        ("", [], "names no folder"),
        ("schema", ["--wait", "0", "--check"], "goes with none of: --wait"),
        ("schema", ["streaming", "--dry-run"], "goes with none of: an app, --dry-run"),
        ("schema", ["--check-live"], "goes with none of: --check-live"),
    ],
)
def test_call_that_means_something_else_is_refused(folder: str, more: list[str], told: str) -> None:
    """Nothing is applied because a variable was empty, nor written where a run was meant."""
    parser = load_command_class("migrator", "migrate_all").create_parser("manage.py", "migrate_all")

    with pytest.raises(UsageError, match=told):
        request_from(vars(parser.parse_args(["--snapshot", folder, *more])))


def test_look_tells_each_file_that_differs_once_and_waits_for_what_is_pending(tmp_path: Path) -> None:
    """A step that is pending makes its store unknown, and each that may share its database; no other."""
    a, b, c = make_step("a:shop.0001_a"), make_step("b:shop.0001_b"), make_step("c:shop.0001_c")
    opened = {"a": Kept("a", (a,)), "b": Kept("b", (b,)), "c": OfAnother("c", (c,))}
    for step in (a, b, c):
        opened[step.key.store].apply(step, make_lease())
    snapshot.written(opened, tmp_path)
    assert held(tmp_path, opened) == LiveLook(looked_in={})

    for alias in ("a", "c"):
        opened[alias].server.objects["by hand"] = "more"
    assert [(one.store, one.keys, one.difference.text) for one in held(tmp_path, opened).differences] == [
        ("a", (), "a.txt of the snapshot differs in 1 line, the first: +by hand"),
        ("c", (), "c.txt of the snapshot differs in 1 line, the first: +by hand"),
    ]
    assert held(tmp_path, opened).exit_code is ExitCode.DRIFT

    opened["b"].revert(b, make_lease())
    found = held(tmp_path, opened)
    assert [one.store for one in found.differences] == ["c"]
    assert {key for key, _ in found.unknown} == {b.key}
    assert len(found.unknown) == 2
    assert held(tmp_path, opened, "a").exit_code is ExitCode.DONE
    assert kin(opened, ("a",)) == {"a", "b"}
